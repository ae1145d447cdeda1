"""Frames of a video with their own times, in order, for looking at every one."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from keras_avrep.data.media import (
    MediaError,
    check_file,
    decoded_frames,
    frame_rate,
    opened,
    quarter_turns,
    video_stream,
)


def stream_timed_frames(
    path: str | os.PathLike,
    size: int | None = None,
    every: float | None = None,
    square: bool = True,
) -> Iterator[tuple[Fraction, np.ndarray]]:
    """All frames of a video in order, each with its time, upright.

    Time 0 is at the first frame, as it is for `read_frames` and `read_waveform`.
    Holds one frame at a time, however long the video is.

    Args:
        path: the video file.
        size: int or `None`. Pixels of the shorter side; the whole picture is scaled,
            so that relative places stay right. Defaults to `None`, as it is.
        every: float or `None`. Seconds from one frame to the next; each is the
            one that is shown at that time. Defaults to `None`, all frames.
        square: bool. Whether the longer side has `size` pixels as well, whatever the
            picture's shape; otherwise it keeps its proportion, but for a multiple of
            16. Defaults to `True`.

    Returns:
        Iterator of pairs: the time in seconds, a `fractions.Fraction`, and a uint8
        array `(H, W, 3)`. Times increase; frames that do not come later than the
        one before are left out.

    Raises:
        MediaError: while iterating, if no frame can be decoded.
        ValueError: if `every` is not above 0.

    Example:
    ```python
    for seconds, image in keras_avrep.data.stream_timed_frames("duet.mp4"):
        print(float(seconds), image.shape)
    ```
    """
    path = Path(path)
    if every is not None:
        step = Fraction(every).limit_denominator(10**6)
        if step <= 0:
            raise ValueError(f"`every` is {every}; give a number of seconds above 0.")
    check_file(path)
    reformatter = VideoReformatter()
    with opened(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        frames = _timed(container, stream, path)
        if every is not None:
            frames = _thinned(frames, step)
        for seconds, frame in frames:
            yield seconds, _upright(frame, size, square, reformatter)


def frame_seconds(stream) -> Fraction:
    """When a stream starts, on the clock of its container, exactly."""
    return (stream.start_time or 0) * Fraction(stream.time_base)


def _timed(container, stream, path):
    rate = frame_rate(stream, path)
    origin, before = frame_seconds(stream), None
    for position, frame in enumerate(decoded_frames(container, stream, path)):
        seconds = position / rate
        if frame.pts is not None:
            seconds = frame.pts * Fraction(frame.time_base) - origin
        if before is None or seconds > before:
            before = seconds
            yield seconds, frame
    if before is None:
        raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")


def _thinned(frames, every):
    """The frame shown at each multiple of `every`: the last that is not after it."""
    slack, count, shown = Fraction(1, 2000), 0, None
    for seconds, frame in frames:
        # Timestamps are rounded to the container's clock.
        while shown is not None and count * every < seconds - slack:
            yield count * every, shown
            count += 1
        shown = frame
    if count == 0 or count * every <= seconds + slack:
        yield count * every, shown


def _upright(frame, size, square, reformatter) -> np.ndarray:
    width, height = frame.width, frame.height
    if size:
        scale = size / min(width, height)
        width, height = (
            size if square or side * scale <= size else max(size, _to_16(side * scale))
            for side in (width, height)
        )
    image = reformatter.reformat(
        frame, width, height, "rgb24", interpolation="AREA"
    ).to_ndarray()
    return np.rot90(image, quarter_turns(frame))


def _to_16(pixels):
    """The nearest multiple of what networks halve pictures to, four times."""
    return 16 * round(pixels / 16)
