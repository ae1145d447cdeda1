"""How long a video is: what its header says, and where its pictures end."""

import math
from dataclasses import dataclass
from pathlib import Path

import av

from keras_avrep.data.media import (
    MediaError,
    decoded_frames,
    opened,
    seek_to,
    start_seconds,
    video_stream,
    why,
)

# Where the last packets are looked for, in seconds before the end.
LAST_SECONDS = 1.0
# A header may be this wrong, in seconds: sound and picture rarely end together.
SLACK_SECONDS = 0.5
# Formats that say how long the longest stream is, not how long the pictures go on.
ONE_FOR_ALL = {"asf", "flv", "matroska,webm"}


@dataclass(frozen=True)
class Extent:
    """`seconds` and `num_frames` that are there, and `missing_seconds` that are not."""

    seconds: float
    num_frames: int
    missing_seconds: float = 0.0


def measure_extent(container, stream, fps: float, path: Path) -> Extent:
    """How long a video is, checked by its last packets.

    One jump near the end and a few packets, none of them decoded. Only where they
    are not there, the file is read from its start to find where it ends. Sound that
    goes on after the last picture does not make a video longer.

    Args:
        container: the opened file.
        stream: its video stream.
        fps: float. Frames per second.
        path: the file, for errors and to open it again.

    Returns:
        `Extent`.

    Raises:
        MediaError: if it cannot be read, or only its first frame is left.
    """
    told = _told_seconds(container, stream)
    num_frames = stream.frames or 0
    if told <= 0:
        num_frames, last = _count_packets(container, stream, fps, path)
        if last is not None:
            return _of_pictures(last - start_seconds(stream), fps)
        return Extent(max(num_frames / fps, 1 / fps), max(1, num_frames))
    promised = told
    if container.format.name == "avi":
        # FFmpeg has already shortened the duration of a truncated one.
        promised = max(told, num_frames / fps)
    slack = max(2 / fps, min(SLACK_SECONDS, promised / 10))
    own = container.format.name not in ONE_FOR_ALL and bool(stream.duration)
    origin = start_seconds(stream)
    seek_to(container, stream, origin + max(0.0, promised - slack - LAST_SECONDS))
    wanted = origin + promised - slack
    shown, last = _reached(container, stream, fps, wanted, own)
    if shown >= wanted:
        return Extent(max(told, 1 / fps), num_frames or max(1, round(told * fps)))
    if last >= wanted and shown >= origin:
        return _of_pictures(shown - origin, fps)
    return _truncated(path, promised, slack, fps, own)


def _told_seconds(container, stream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _count_packets(container, stream, fps: float, path: Path):
    """How many packets a stream has, and where the last ends, if they say so."""
    count, last = 0, None
    try:
        container.seek(0)
        for packet in container.demux(stream):
            count += bool(packet.size)
            if packet.size and packet.pts is not None:
                span = float((packet.duration or 0) * packet.time_base) or 1 / fps
                end = float(packet.pts * packet.time_base) + span
                last = end if last is None else max(last, end)
        return count, last
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path}: cannot be read to its end ({why(error)}).") from None


def _of_pictures(seconds: float, fps: float) -> Extent:
    seconds = max(seconds, 1 / fps)
    return Extent(seconds, max(1, round(seconds * fps)))


def _reached(
    container, stream, fps: float, wanted: float, own: bool
) -> tuple[float, float]:
    """Ends of the last picture and of the last packet from here on.

    Args:
        container: the opened file, where to begin.
        stream: its video stream.
        fps: float. Frames per second.
        wanted: seconds. No more is read once a picture is there.
        own: bool. Whether the duration is of the pictures themselves, so that any
            packet says that nothing is missing.
    """
    shown = last = -math.inf
    for index, end in _packet_ends(container, fps):
        last = max(last, end)
        if own or index == stream.index:
            shown = max(shown, end)
        if shown >= wanted:
            break
    return shown, last


def _packet_ends(container, fps: float):
    """Stream index and end in seconds of each packet; a broken end just ends them."""
    try:
        for packet in container.demux():
            begin = packet.dts if packet.pts is None else packet.pts
            if packet.size and begin is not None:
                span = float((packet.duration or 0) * packet.time_base)
                if not span and packet.stream.type == "video":
                    span = 1 / fps
                yield packet.stream.index, float(begin * packet.time_base) + span
    except (av.FFmpegError, OSError, ValueError):
        return


def _truncated(
    path: Path, promised: float, slack: float, fps: float, own: bool
) -> Extent:
    """The extent of a file that ends before the time its header tells."""
    with opened(path) as container:
        stream = video_stream(container, path)
        ends = list(_packet_ends(container, fps))
        origin = start_seconds(stream)
        last = max((end for index, end in ends if index == stream.index), default=0.0)
        if any(end >= origin + promised - slack for _, end in ends):
            # It cannot be sought, but it is all there.
            return _of_pictures(promised if own else last - origin, fps)
        # All packets have been seen, so that their places are known: a short way back.
        shown = _last_shown(container, stream, last, path)
        if shown is None:
            shown = _last_shown(container, stream, origin, path)
    seconds = (shown or origin) - origin + 1 / fps
    if seconds < 1.5 / fps:
        raise MediaError(
            f"{path}: was cut short; only the first frame of {promised:.1f} seconds "
            "is left."
        )
    return Extent(seconds, max(1, round(seconds * fps)), max(0.0, promised - seconds))


def _last_shown(container, stream, seconds: float, path: Path) -> float | None:
    """Time of the last frame that can be decoded from a time on, or `None`."""
    seek_to(container, stream, seconds)
    try:
        times = [f.time for f in decoded_frames(container, stream, path)]
    except MediaError:
        return None
    return max((time for time in times if time is not None), default=None)
