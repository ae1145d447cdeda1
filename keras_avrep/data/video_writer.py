"""Writing video files, with PyAV (which bundles FFmpeg)."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from keras_avrep.data.audio_writer import CODECS, SoundTrack
from keras_avrep.data.files import replacing

# Pixels of a frame up to which one thread encodes it.
SMALL_PICTURE = 256 * 256


def write_video(
    path: str | os.PathLike,
    frames,
    fps: float,
    *,
    codec: str = "libx264",
    crf: int | None = 18,
    keyframe_interval: int | None = None,
    audio: np.ndarray | None = None,
    sample_rate: int = 16000,
    audio_start: float = 0.0,
    audio_codec: str | None = None,
) -> None:
    """Write frames (and sound) to a video file, complete or not at all.

    Args:
        path: the file; its suffix decides the container.
        frames: iterable of uint8 arrays `(H, W, 3)`, all of one size.
        fps: float. Frames per second.
        codec: string. An FFmpeg encoder. Defaults to `"libx264"`.
        crf: int or `None`. Constant quality for x264, x265 and VP9. Defaults to 18.
        keyframe_interval: int or `None`. Frames from one key frame to the next;
            small is fast to seek. Defaults to the encoder's choice.
        audio: float array `(S,)` or `(S, channels)` in [-1, 1], or `None`.
        sample_rate: int. Of `audio`, in Hz. Defaults to 16000.
        audio_start: float. Seconds at which the sound sets in. Defaults to 0.
        audio_codec: string. An FFmpeg encoder. Defaults to Opus in `.webm`,
            uncompressed in `.avi`, else AAC.

    Raises:
        ValueError: if there are no frames, `audio` is empty or has another
            shape, or is for a GIF.

    Example:
    ```python
    keras_avrep.data.write_video("black.mp4", np.zeros((8, 64, 64, 3), "uint8"), 12)
    ```
    """
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        stream, sound = None, None
        if audio is not None:
            codec_name = audio_codec or _audio_codec(path)
            sound = SoundTrack(container, audio, sample_rate, codec_name, audio_start)
        for position, image in enumerate(frames):
            if stream is None:
                stream = _add_video_stream(
                    container, image, fps, codec, crf, keyframe_interval
                )
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image))
            container.mux(stream.encode(frame))
            if sound is not None:
                sound.write_until((position + 1) / fps)
        if stream is None:
            raise ValueError(f"`frames` for {path} is empty; give at least one.")
        container.mux(stream.encode())
        if sound is not None:
            sound.finish()


def _add_video_stream(container, image, fps, codec, crf, keyframe_interval):
    options = {}
    if crf is not None and codec in ("libx264", "libx265", "libvpx-vp9"):
        options["crf"] = str(crf)
    if codec == "libvpx-vp9":
        options["b"] = "0"
    if codec == "libx265":
        options["x265-params"] = "log-level=none"
    if keyframe_interval and codec == "libx264":
        # Scene cuts would insert key frames of their own.
        options["x264-params"] = f"keyint={keyframe_interval}:scenecut=0"
    stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    stream.options = options
    height, width = image.shape[:2]
    stream.width, stream.height = width, height
    if height * width <= SMALL_PICTURE:
        # Threads have too few rows to share, and what is written would depend on
        # how many cores there are.
        stream.codec_context.thread_count = 1
    odd = width % 2 or height % 2
    formats = {"gif": "rgb8", "rawvideo": "rgb24"}
    stream.pix_fmt = formats.get(codec, "yuv444p" if odd else "yuv420p")
    if keyframe_interval:
        stream.codec_context.gop_size = keyframe_interval
    return stream


def _audio_codec(path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix == ".gif":
        raise ValueError(f"`audio` is given but a GIF like {path} has no sound.")
    return CODECS.get(suffix, "aac")
