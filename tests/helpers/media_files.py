"""Small real videos for the tests."""

import av
import numpy as np

from keras_avrep.data import write_video


def ramp(count=24, height=48, width=64, step=10):
    """Frames whose gray value tells their position."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames += (np.arange(count) * step).astype(np.uint8)[:, None, None, None]
    return frames


def write_ramp(path, fps=12, **kwargs):
    """A ramp as a file; keyword arguments of `ramp` and `write_video`."""
    shape = {k: kwargs.pop(k) for k in ("count", "height", "width") if k in kwargs}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, ramp(**shape), fps, **kwargs)
    return path


def damage_sound(path):
    """Overwrite every packet of a file's sound, and leave the picture."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.size:
                end = packet.pos + packet.size
                data[packet.pos : end] = b"\xff" * packet.size
    path.write_bytes(data)
    return path


def with_index_first(path):
    """Move the index of an MP4 before its frames, as in files for streaming."""
    whole = path.read_bytes()
    source = path.with_name(f"whole_{path.name}")
    source.write_bytes(whole)
    with (
        av.open(str(source)) as read,
        av.open(str(path), "w", options={"movflags": "faststart"}) as written,
    ):
        streams = [written.add_stream_from_template(s) for s in read.streams]
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                written.mux(packet)
    source.unlink()
    return path


def cut(path, share):
    """Keep the first part of a file, as an interrupted download does."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
