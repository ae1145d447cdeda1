"""A video with other pictures and its own sound, frame by frame in time."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace

from keras_avrep.data.files import replacing
from keras_avrep.data.media import check_file, frame_rate, opened, video_stream
from keras_avrep.data.sound_copy import sound_track, suffix_of
from keras_avrep.data.timed_frames import frame_seconds

# Containers that hold frames at any time, and the codec of their pictures.
VIDEO_CODECS = {
    ".m4v": "libx264",
    ".mkv": "libx264",
    ".mov": "libx264",
    ".mp4": "libx264",
    ".webm": "libvpx-vp9",
}
# Divides the usual frame rates, and is what MPEG counts in.
TICK = Fraction(1, 90000)


def write_video_copy(
    path: str | os.PathLike, source: str | os.PathLike, frames, *, crf: int = 18
) -> None:
    """Write new pictures with the sound of a video, complete or not at all.

    Frames keep their times and the sound its place, also where one of the two
    starts late. The sound track is copied packet by packet where the container
    takes it, else encoded anew with its channels and rate. Holds one frame at a
    time.

    Args:
        path: the file; `.mp4`, `.mov`, `.m4v`, `.mkv` or `.webm`.
        source: the video file that the times and the sound are of.
        frames: iterable of pairs, as of `stream_timed_frames(source)`: seconds from
            the first frame, increasing, and a uint8 array `(H, W, 3)`, all of one
            size.
        crf: int. Constant quality. Defaults to 18.

    Raises:
        MediaError: if `source` cannot be read.
        ValueError: if there are no frames, `path` is `source`, or its suffix is
            another one.

    Example:
    ```python
    frames = keras_avrep.data.stream_timed_frames("duet.mp4")
    darker = ((seconds, image // 2) for seconds, image in frames)
    keras_avrep.data.write_video_copy("darker.mp4", "duet.mp4", darker)
    ```
    """
    path, source = Path(path), Path(source)
    check_copy(path, source)
    with (
        opened(source) as original,
        replacing(path) as temporary,
        av.open(str(temporary), "w") as target,
    ):
        shown = video_stream(original, source)
        origin = base = frame_seconds(shown)
        sound = original.streams.best("audio")
        track = None
        if sound is not None and sound.codec_context is not None:
            # Nothing before the picture is lost.
            base = min(origin, frame_seconds(sound))
            track = sound_track(target, suffix_of(path), sound, base)
        stream, before = None, -1
        for seconds, image in frames:
            if stream is None:
                stream = _add_video_stream(
                    target, path, image, shown, frame_rate(shown, source), crf
                )
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image))
            # Frames that are nearer than the clock can tell keep their order.
            before = max(before + 1, round((seconds + origin - base) / TICK))
            frame.pts, frame.time_base = before, TICK
            target.mux(stream.encode(frame))
            if track is not None:
                track.write_until(before * TICK)
        if stream is None:
            raise ValueError(f"`frames` for {path} is empty; give at least one.")
        target.mux(stream.encode())
        if track is not None:
            track.finish()


def check_copy(path, source) -> None:
    """Refuse a copy that cannot be written, before any work is done.

    Raises:
        MediaError: if there is no such source.
        ValueError: if `path` is `source`, or its suffix is not one of `VIDEO_CODECS`.
    """
    path, source = Path(path), Path(source)
    check_file(source)
    if suffix_of(path) not in VIDEO_CODECS:
        raise ValueError(f"{path} must end in one of {', '.join(VIDEO_CODECS)}.")
    if path.resolve() == source.resolve():
        raise ValueError(f"{path} is the video itself; choose another name.")


def _add_video_stream(target, path, image, shown, rate, crf):
    codec = VIDEO_CODECS[suffix_of(path)]
    stream = target.add_stream(codec, rate=rate.limit_denominator(1001))
    stream.options = {"crf": str(crf)}
    if codec == "libvpx-vp9":
        stream.options |= {"b": "0", "deadline": "good", "cpu-used": "4"}
    height, width = image.shape[:2]
    stream.width, stream.height = width, height
    odd = width % 2 or height % 2
    stream.pix_fmt = "yuv444p" if odd and codec == "libx264" else "yuv420p"
    stream.codec_context.time_base = TICK
    # What it is converted with; players would guess another one for large frames.
    stream.codec_context.colorspace = Colorspace.ITU601
    pixel = shown.sample_aspect_ratio
    if pixel and pixel != 1:
        turned = (width > height) != (shown.width > shown.height)
        stream.codec_context.sample_aspect_ratio = 1 / pixel if turned else pixel
    return stream
