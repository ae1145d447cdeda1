"""Video files in and out, with PyAV (which bundles FFmpeg)."""

import math
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

VIDEO_SUFFIXES = {
    *(".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"),
    *(".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
}


class MediaError(ValueError):
    """A media file that cannot be used, with the reason in one sentence."""


@dataclass(frozen=True)
class MediaInfo:
    """What a video file holds; `duration` in seconds, sizes in shown pixels."""

    duration: float
    num_frames: int
    fps: float
    width: int
    height: int
    has_audio: bool


def probe(path: str | os.PathLike) -> MediaInfo:
    """Open a video, decode its first frame and describe it.

    Args:
        path: the file.

    Returns:
        `MediaInfo`. Where the container tells no duration, the packets are
        counted without decoding them.

    Raises:
        MediaError: if the file is empty, truncated, unreadable, or no video.

    Example:
    ```python
    keras_avrep.data.probe("juggling.mp4").duration
    ```
    """
    path = Path(path)
    _check_file(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        frame = next(_decoded(container, stream, path), None)
        if frame is None:
            raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")
        width, height = frame.width, frame.height
        if _quarter_turns(frame) % 2:
            width, height = height, width
        fps = float(stream.average_rate or stream.guessed_rate or 0) or 25.0
        duration, num_frames = _extent(container, stream, fps, path)
        return MediaInfo(
            duration, num_frames, fps, width, height, bool(container.streams.audio)
        )


def read_frames(path: str | os.PathLike, times, size: int) -> np.ndarray:
    """Decode the frames shown at some times, short side scaled, centre cropped.

    Seeks to the key frame before the first time and decodes only up to the
    last one; only the wanted frames are scaled.

    Args:
        path: the video file.
        times: increasing seconds from the start of the video.
        size: int. Height and width of the result, in pixels.

    Returns:
        uint8 array `(len(times), size, size, 3)`. A time after the end gives
        the last frame.

    Raises:
        MediaError: if no frame can be decoded.

    Example:
    ```python
    clip = keras_avrep.data.read_frames("juggling.mp4", [0.0, 0.1, 0.2], 112)
    ```
    """
    path = Path(path)
    times = [float(t) for t in times]
    _check_file(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        stream.thread_type = "AUTO"
        # Threads come from the loader; more per file only fight for the cores.
        stream.codec_context.thread_count = 1
        origin = _start_seconds(stream)
        _seek(container, stream, origin + times[0])
        frames = _pick(_decoded(container, stream, path), times, origin, size)
        if frames is None:
            # Some containers seek past what they can decode: read from the start.
            return _read_from_start(path, times, size)
    return frames


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
    _check_file(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        fps = float(stream.average_rate or stream.guessed_rate or 0) or 25.0
        origin, count, shown, seconds = _start_seconds(stream), 0, None, 0.0
        for position, frame in enumerate(_decoded(container, stream, path)):
            seconds = position / fps
            if frame.pts is not None:
                seconds = float(frame.pts * frame.time_base) - origin
            # A quarter of a frame of slack: timestamps are rounded.
            while shown is not None and count / fps < seconds - 0.25 / fps:
                yield shown
                count += 1
            shown = _scaled_upright(frame, size)
        while shown is not None and count / fps <= seconds + 0.25 / fps:
            yield shown
            count += 1
        if shown is None:
            raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")


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
        audio: float array `(S,)` in [-1, 1] or `None`.
        sample_rate: int. Of `audio`, in Hz. Defaults to 16000.

    Raises:
        ValueError: if there are no frames.

    Example:
    ```python
    keras_avrep.data.write_video("black.mp4", np.zeros((8, 64, 64, 3), "uint8"), 12)
    ```
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with av.open(str(temporary), "w") as container:
            stream = None
            sound = _add_audio_stream(container, audio, sample_rate)
            for image in frames:
                if stream is None:
                    stream = _add_video_stream(
                        container, image, fps, codec, crf, keyframe_interval
                    )
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image))
                container.mux(stream.encode(frame))
            if stream is None:
                raise ValueError(f"`frames` for {path} is empty; give at least one.")
            container.mux(stream.encode())
            if sound is not None:
                _write_audio(container, sound, audio, sample_rate)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


# --- reading ---------------------------------------------------------------


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise MediaError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty.")


def _opened(path: Path):
    try:
        return av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{path}: cannot be opened as video ({_why(error)})."
        ) from None


def _video_stream(container, path: Path):
    for stream in container.streams.video:
        # Cover art of an audio file is a "video" of one attached picture.
        attached = getattr(stream.disposition, "name", "") or ""
        if "attached_pic" not in attached:
            return stream
    raise MediaError(f"{path}: has no video track.")


def _decoded(container, stream, path: Path):
    """Frames in order; a damaged tail ends them, a damaged start is an error."""
    count = 0
    try:
        for frame in container.decode(stream):
            count += 1
            yield frame
    except (av.FFmpegError, OSError, ValueError) as error:
        if count == 0:
            raise MediaError(f"{path}: cannot be decoded ({_why(error)}).") from None


def _extent(container, stream, fps: float, path: Path) -> tuple[float, int]:
    seconds = 0.0
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    num_frames = stream.frames or 0
    if seconds <= 0:
        num_frames = _count_packets(container, stream, path)
        seconds = num_frames / fps
    return max(seconds, 1 / fps), num_frames or max(1, round(seconds * fps))


def _count_packets(container, stream, path: Path) -> int:
    try:
        container.seek(0)
        return sum(1 for packet in container.demux(stream) if packet.size)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path}: cannot be read to its end ({_why(error)})."
        ) from None


def _start_seconds(stream) -> float:
    return float((stream.start_time or 0) * stream.time_base)


def _seek(container, stream, seconds: float) -> None:
    try:
        container.seek(
            max(0, math.floor(seconds / stream.time_base)),
            stream=stream,
            backward=True,
        )
    except (av.FFmpegError, OSError):
        container.seek(0)


def _read_from_start(path: Path, times: list[float], size: int) -> np.ndarray:
    with _opened(path) as container:
        stream = _video_stream(container, path)
        frames = _pick(
            _decoded(container, stream, path),
            times,
            _start_seconds(stream),
            size,
            exact_start=False,
        )
    if frames is None:
        raise MediaError(f"{path}: no frame can be decoded; the file is damaged.")
    return frames


def _pick(decoded, times, origin, size, exact_start=True) -> np.ndarray | None:
    """The frame shown at each time: the last whose timestamp is not after it."""
    picked, shown, first = [], None, None
    for index, frame in enumerate(decoded):
        seconds = index if frame.pts is None else float(frame.pts * frame.time_base)
        seconds -= origin
        if first is None:
            first = seconds
            if exact_start and first > times[0] + 0.5 and first > 1.0:
                return None
        # Timestamps are rounded to the container's clock: half a millisecond slack.
        while len(picked) < len(times) and seconds > times[len(picked)] + 5e-4:
            picked.append(shown if shown is not None else frame)
        if len(picked) == len(times):
            break
        shown = frame
    if shown is None and not picked:
        return None
    picked += [shown] * (len(times) - len(picked))
    return _to_arrays(picked, size)


def _to_arrays(frames, size: int) -> np.ndarray:
    result = np.empty((len(frames), size, size, 3), np.uint8)
    previous = None
    for position, frame in enumerate(frames):
        if frame is previous:
            result[position] = result[position - 1]
        else:
            result[position] = _scaled_square(frame, size)
        previous = frame
    return result


def _scaled_square(frame, size: int) -> np.ndarray:
    scale = size / min(frame.width, frame.height)
    width = max(size, round(frame.width * scale))
    height = max(size, round(frame.height * scale))
    image = frame.reformat(
        width=width, height=height, format="rgb24", interpolation="AREA"
    ).to_ndarray()
    top, left = (height - size) // 2, (width - size) // 2
    image = image[top : top + size, left : left + size]
    turns = _quarter_turns(frame)
    return np.rot90(image, turns) if turns else image


def _scaled_upright(frame, size: int | None) -> np.ndarray:
    scale = min(1.0, size / min(frame.width, frame.height)) if size else 1.0
    # Even sides: 4:2:0 video has no odd ones.
    width = max(2, round(frame.width * scale / 2) * 2)
    height = max(2, round(frame.height * scale / 2) * 2)
    image = frame.reformat(
        width=width, height=height, format="rgb24", interpolation="AREA"
    ).to_ndarray()
    return np.rot90(image, _quarter_turns(frame))


def _quarter_turns(frame) -> int:
    """Counter-clockwise quarter turns that the display matrix asks for."""
    return round((getattr(frame, "rotation", 0) or 0) / 90) % 4


def _why(error) -> str:
    return str(getattr(error, "strerror", None) or error).split(":")[0].strip(" .")


# --- writing ---------------------------------------------------------------


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
    odd = width % 2 or height % 2
    formats = {"gif": "rgb8", "rawvideo": "rgb24"}
    stream.pix_fmt = formats.get(codec, "yuv444p" if odd else "yuv420p")
    if keyframe_interval:
        stream.codec_context.gop_size = keyframe_interval
    return stream


def _add_audio_stream(container, audio, sample_rate):
    if audio is None:
        return None
    webm = "webm" in container.format.name
    stream = container.add_stream("libopus" if webm else "aac", rate=sample_rate)
    stream.layout = "mono"
    return stream


def _write_audio(container, stream, audio, sample_rate) -> None:
    samples = np.asarray(audio, np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = sample_rate
    resampler = av.AudioResampler(
        stream.codec_context.format or "fltp", "mono", sample_rate
    )
    frame.pts = 0
    fifo = av.AudioFifo()
    for part in resampler.resample(frame):
        fifo.write(part)
    size = stream.codec_context.frame_size or 1024
    while (part := fifo.read(size, partial=True)) is not None:
        container.mux(stream.encode(part))
    container.mux(stream.encode())
