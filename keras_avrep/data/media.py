"""Reading video files, with PyAV (which bundles FFmpeg)."""

import math
import os
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

VIDEO_SUFFIXES = {
    *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".gif", ".m2ts"),
    *(".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts"),
    *(".vob", ".webm", ".wmv"),
}

# A longer gap between two wanted frames is jumped over, not decoded.
SEEK_SECONDS = 1.5

# How far before the wanted time to seek, one try after the other.
BACK_SECONDS = (0.0, 2.0, 8.0, 32.0)

# Timestamps are rounded to the container's clock.
SLACK = 5e-4

# What is taken for a rate without a look at the frames' own times, and how many of
# them are looked at otherwise.
PLAUSIBLE_RATE = 250
TIMES = 200


class MediaError(ValueError):
    """A media file that cannot be used, with the reason in one sentence."""


def read_frames(
    path: str | os.PathLike, times, size: int, square: bool = True
) -> np.ndarray:
    """Decode the frames shown at some times, short side scaled, centre cropped.

    Seeks to the key frame before the first time and decodes only up to the
    last one; only the wanted frames are scaled.

    Args:
        path: the video file.
        times: increasing seconds from the start of the video.
        size: int. Short side of the result, in pixels.
        square: bool. `False` keeps the whole frames. Defaults to `True`.

    Returns:
        uint8 array `(len(times), size, size, 3)`, or of the frames' own proportions
        if not `square`. A time after the end gives the last frame.

    Raises:
        MediaError: if no frame can be decoded.

    Example:
    ```python
    clip = keras_avrep.data.read_frames("juggling.mp4", [0.0, 0.1, 0.2], 112)
    ```
    """
    path = Path(path)
    times = [float(t) for t in times]
    check_file(path)
    with opened(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        # Threads come from the loader; more per file only fight for the cores.
        stream.codec_context.thread_count = 1
        origin = start_seconds(stream)
        sides = None if square else _short_side_scaled(stream, size)
        parts, done = [], 0
        for group in _groups(times):
            part = None
            for start in _starts(container, group[0], untouched=not parts):
                if start is not None:
                    seek_to(container, stream, origin + start)
                frames = decoded_frames(container, stream, path)
                part = _pick(frames, group, origin, size, sides, start is not None)
                if part is not None:
                    break
            if part is None and group[0] > BACK_SECONDS[-1]:
                # Seeking is no use in this file: once through it for all that is left.
                parts.append(_read_from_start(path, times[done:], size, sides))
                break
            if part is None:
                part = _read_from_start(path, group, size, sides)
            parts.append(part)
            done += len(group)
    return np.concatenate(parts)


def stream_frames(path: str | os.PathLike, size: int | None = None):
    """All frames of a video in order, upright, for copying it.

    Args:
        path: the video file.
        size: int or `None`. Short side in pixels; larger videos are scaled
            down. Defaults to `None`, as it is.

    Returns:
        Iterator of uint8 arrays `(H, W, 3)`, H and W even. Frames are repeated
        or left out where the frame rate varies, to be evenly spaced at the
        average rate.

    Raises:
        MediaError: while iterating, if no frame can be decoded.
    """
    path = Path(path)
    check_file(path)
    with opened(path) as container:
        stream = video_stream(container, path)
        fps = float(frame_rate(stream, path))
        reformatter = VideoReformatter()
        origin, count, shown, seconds = start_seconds(stream), 0, None, 0.0
        for position, frame in enumerate(decoded_frames(container, stream, path)):
            seconds = position / fps
            if frame.pts is not None:
                seconds = float(frame.pts * frame.time_base) - origin
            # A quarter of a frame of slack: timestamps are rounded.
            while shown is not None and count / fps < seconds - 0.25 / fps:
                yield shown
                count += 1
            shown = _scaled_upright(frame, size, reformatter)
        while shown is not None and count / fps <= seconds + 0.25 / fps:
            yield shown
            count += 1
        if shown is None:
            raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")


# --- reading ---------------------------------------------------------------


def check_file(path: Path) -> None:
    if not path.is_file():
        raise MediaError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty.")


def opened(path: Path):
    try:
        return av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be opened as media ({why(error)}).") from None


def video_stream(container, path: Path):
    for stream in container.streams.video:
        # Cover art of an audio file is a "video" of one attached picture.
        attached = getattr(stream.disposition, "name", "") or ""
        if "attached_pic" not in attached:
            return stream
    raise MediaError(f"{path}: has no video track.")


def decoded_frames(container, stream, path: Path):
    """Frames in order; a damaged tail ends them, a damaged start is an error."""
    count = 0
    try:
        for frame in container.decode(stream):
            count += 1
            yield frame
    except (av.FFmpegError, OSError, ValueError) as error:
        if count == 0:
            raise MediaError(f"{path}: cannot be decoded ({why(error)}).") from None


def frame_rate(stream, path: Path) -> Fraction:
    """Frames per second of a stream, exactly where its container tells them.

    Recordings of browsers tell none, and FFmpeg's guess is then the clock of the
    container, such as 1000: the times of the first frames say it.
    """
    told = stream.average_rate
    if told and told <= PLAUSIBLE_RATE:
        return Fraction(told)
    return _rate_of_times(path) or Fraction(told or stream.guessed_rate or 25)


def _rate_of_times(path: Path) -> Fraction | None:
    """The average rate of the first frames, none of them decoded."""
    with opened(path) as container:
        stream = video_stream(container, path)
        try:
            packets = islice(container.demux(stream), TIMES)
            times = [p.pts * p.time_base for p in packets if p.pts is not None]
        except (av.FFmpegError, OSError, ValueError):
            return None
    span = max(times, default=0) - min(times, default=0)
    return Fraction((len(times) - 1) / span).limit_denominator(1001) if span else None


def start_seconds(stream) -> float:
    return float((stream.start_time or 0) * stream.time_base)


def seek_to(container, stream, seconds: float) -> None:
    try:
        container.seek(
            max(0, math.floor(seconds / stream.time_base)),
            stream=stream,
            backward=True,
        )
    except (av.FFmpegError, OSError):
        container.seek(0)


def _groups(times: list[float]) -> list[list[float]]:
    """Times between which decoding on is cheaper than seeking."""
    groups = [[times[0]]]
    for time in times[1:]:
        if time - groups[-1][-1] > SEEK_SECONDS:
            groups.append([])
        groups[-1].append(time)
    return groups


def _starts(container, first: float, untouched: bool) -> Iterator[float | None]:
    """Where to start decoding for a time, until there is a frame not after it.

    MPEG streams have no index of key frames: their seeks go by time only, and the
    next key frame may be too late. `None` is the start, where a file just opened is.
    """
    backs = BACK_SECONDS
    if container.format.name == "mpeg":
        # A packet of these tells one time for several frames, and until the next (in
        # 0.7 seconds at most) frames after a seek have times that are somewhat off.
        backs = backs[1:]
    if untouched and first <= backs[0]:
        yield None
        return
    for back in backs:
        # A seek to the very start may miss as well.
        if back >= first:
            return
        yield first - back


def _read_from_start(path: Path, times, size: int, sides) -> np.ndarray:
    with opened(path) as container:
        stream = video_stream(container, path)
        frames = _pick(
            decoded_frames(container, stream, path),
            times,
            start_seconds(stream),
            size,
            sides,
            sought=False,
        )
    if frames is None:
        raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")
    return frames


def _pick(decoded, times, origin, size, sides, sought) -> np.ndarray | None:
    """The frame shown at each time: the last whose timestamp is not after it.

    `None` if there is none or, after a seek, none that early.
    """
    picked, shown = [], None
    for index, frame in enumerate(decoded):
        seconds = index if frame.pts is None else float(frame.pts * frame.time_base)
        seconds -= origin
        if sought and shown is None:
            if seconds > times[0] + SLACK:
                return None
            if not frame.key_frame:
                # Some decoders make gray ones of what comes before the key frame.
                continue
        while len(picked) < len(times) and seconds > times[len(picked)] + SLACK:
            picked.append(shown if shown is not None else frame)
        if len(picked) == len(times):
            break
        shown = frame
    if shown is None and not picked:
        return None
    picked += [shown] * (len(times) - len(picked))
    return _to_arrays(picked, size, sides)


def _to_arrays(frames, size: int, sides) -> np.ndarray:
    """Centre squares of frames, or whole ones of given width and height."""
    # One for all frames: it keeps its scaling tables.
    reformatter = VideoReformatter()
    result, previous = [], None
    for frame in frames:
        if frame is not previous:
            scaled = sides or _short_side_scaled(frame, size)
            image = reformatter.reformat(
                frame, *scaled, "rgb24", interpolation="AREA"
            ).to_ndarray()
            image = image if sides else _centre_square(image)
            image = np.rot90(image, quarter_turns(frame))
        result.append(image)
        previous = frame
    return np.stack(result)


def _short_side_scaled(frame, size: int) -> tuple[int, int]:
    """Width and height of a frame or stream when its short side is `size`."""
    scale = size / min(frame.width, frame.height)
    return max(size, round(frame.width * scale)), max(size, round(frame.height * scale))


def _centre_square(image: np.ndarray) -> np.ndarray:
    """The middle of an image `(H, W, 3)`, as wide and high as its short side."""
    height, width = image.shape[:2]
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    return image[top : top + size, left : left + size]


def _scaled_upright(frame, size: int | None, reformatter) -> np.ndarray:
    scale = min(1.0, size / min(frame.width, frame.height)) if size else 1.0
    # Even sides: 4:2:0 video has no odd ones.
    width = max(2, round(frame.width * scale / 2) * 2)
    height = max(2, round(frame.height * scale / 2) * 2)
    image = reformatter.reformat(
        frame, width, height, "rgb24", interpolation="AREA"
    ).to_ndarray()
    return np.rot90(image, quarter_turns(frame))


def quarter_turns(frame) -> int:
    """Counter-clockwise quarter turns that the display matrix asks for."""
    return round((getattr(frame, "rotation", 0) or 0) / 90) % 4


def why(error) -> str:
    return str(getattr(error, "strerror", None) or error).split(":")[0].strip(" .")
