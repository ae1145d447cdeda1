"""What a video file holds, without reading all of it."""

import os
from dataclasses import dataclass
from pathlib import Path

import av

from keras_avrep.data.extent import measure_extent
from keras_avrep.data.media import (
    MediaError,
    check_file,
    decoded_frames,
    frame_rate,
    opened,
    quarter_turns,
    video_stream,
)

# What FFmpeg calls files that hold a picture, beside the many `..._pipe`.
PICTURE_FORMATS = {"ico", "image2", "mjpeg"}
# Pictures that lie in the same container as MP4.
PICTURE_BRANDS = {"avif", "heic", "heix", "mif1"}


@dataclass(frozen=True)
class MediaInfo:
    """What a video file holds; `duration` in seconds, sizes in shown pixels.

    `missing_seconds` is how much later the file was to end by its own header, 0 for
    a whole one; `duration` and `num_frames` are of what is there.
    """

    duration: float
    num_frames: int
    fps: float
    width: int
    height: int
    has_audio: bool
    missing_seconds: float = 0.0


def probe(path: str | os.PathLike) -> MediaInfo:
    """Open a video, decode its first frame, look at its end and describe it.

    Args:
        path: the file.

    Returns:
        `MediaInfo`. Where the container tells no duration, the packets are
        counted without decoding them; where the file ends before the time that it
        tells, as after an incomplete download, they are read up to its last frame.

    Raises:
        MediaError: if the file is empty, unreadable, a picture or no video, or so
            truncated that no more than its first frame is left.

    Example:
    ```python
    keras_avrep.data.probe("juggling.mp4").duration
    ```
    """
    path = Path(path)
    check_file(path)
    with opened(path) as container:
        stream = video_stream(container, path)
        _refuse_picture(container, path)
        width, height = _first_size(container, stream, path)
        fps = float(frame_rate(stream, path))
        extent = measure_extent(container, stream, fps, path)
        return MediaInfo(
            extent.seconds,
            extent.num_frames,
            fps,
            width,
            height,
            bool(container.streams.audio),
            extent.missing_seconds,
        )


def shown_size(path: str | os.PathLike) -> tuple[int, int]:
    """Width and height of a video as it is shown, in pixels.

    Args:
        path: the file.

    Returns:
        Two ints, of the first frame after it is turned upright.

    Raises:
        MediaError: if no frame can be decoded.
    """
    path = Path(path)
    check_file(path)
    with opened(path) as container:
        return _first_size(container, video_stream(container, path), path)


def _first_size(container, stream, path: Path) -> tuple[int, int]:
    frame = next(decoded_frames(container, stream, path), None)
    if frame is None:
        raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")
    if quarter_turns(frame) % 2:
        return frame.height, frame.width
    return frame.width, frame.height


def _refuse_picture(container, path: Path) -> None:
    """Raise if the file is one picture, whatever its name says."""
    name = container.format.name
    brand = container.metadata.get("major_brand", "")
    if brand not in PICTURE_BRANDS:
        if name not in PICTURE_FORMATS and not name.endswith("_pipe"):
            return
        # Pictures one after the other are a video, if a rare one.
        if _has_several_packets(container):
            return
    kind = brand if brand in PICTURE_BRANDS else name.removesuffix("_pipe")
    raise MediaError(f"{path}: is a still picture ({kind}), not a video.")


def _has_several_packets(container) -> bool:
    count = 0
    try:
        for packet in container.demux():
            count += bool(packet.size)
            if count > 1:
                break
        container.seek(0)
    except (av.FFmpegError, OSError):
        # A picture cannot be sought: what was read stays read.
        pass
    return count > 1
