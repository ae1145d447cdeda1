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
