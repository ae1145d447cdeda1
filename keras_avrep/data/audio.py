"""Reading sound from media files, with PyAV (which bundles FFmpeg)."""

import math
import os
from pathlib import Path

import av
import numpy as np

from keras_avrep.data.media import (
    MediaError,
    check_file,
    opened,
    start_seconds,
    video_stream,
    why,
)

# Decoders need what came before; Opus asks for 80 ms, MP3 for some frames.
PREROLL_SECONDS = 0.3
# What the resampling filter reaches past the end.
MARGIN_SECONDS = 0.05
# Timestamps of some containers are rounded to a millisecond. What is further
# off than this is a gap in the sound, not rounding.
GAP_SECONDS = 0.01


def read_waveform(
    path: str | os.PathLike,
    start=0.0,
    duration: float | None = None,
    sample_rate: int = 16000,
) -> tuple[np.ndarray, bool]:
    """The sound of a media file from some seconds on, as one channel.

    Time 0 is where `read_frames` has it: at the first frame of the picture, or
    at the first sample of a file without one. Samples are placed by the
    timestamps of their packets, so that picture and sound stay together through
    variable frame rates and tracks that start late; where the track has no
    sound, before it, after it or in a gap, there is silence. Channels are
    averaged. Seeks, and decodes only what is needed.

    Args:
        path: a video or sound file.
        start: float, or array of floats of any shape. Seconds, rounded to the
            next sample; may be negative. Defaults to 0.
        duration: float or `None`. Seconds of each span. Defaults to `None`, to
            the end, for one `start` only.
        sample_rate: int. Of the result, in Hz. Defaults to 16000.

    Returns:
        `(waveform, has_audio)`: float32 array `(S,)` in [-1, 1], S being
        `round(duration * sample_rate)`, with the shape of `start` before it;
        and whether there is a sound track. Without one the samples are zeros.

    Raises:
        MediaError: if the file cannot be opened, or has a sound track of which
            nothing can be decoded.
        ValueError: if `duration` or `sample_rate` is not positive, or
            `duration` is missing for several starts.

    Example:
    ```python
    waveform, has_audio = keras_avrep.data.read_waveform("juggling.mp4", 2.0, 1.0)
    waveform.shape  # (16000,)
    ```
    """
    path, starts = Path(path), np.asarray(start, float)
    _check_arguments(starts, duration, sample_rate)
    check_file(path)
    count = None if duration is None else round(duration * sample_rate)
    origin, length, has_audio = _describe(path)
    firsts = [round(s * sample_rate) for s in starts.ravel().tolist()]
    if has_audio:
        spans = [_read_span(path, origin, f, count, sample_rate) for f in firsts]
    elif count is None:
        spans = [np.zeros(max(0, round(length * sample_rate) - f)) for f in firsts]
    else:
        spans = [np.zeros(count) for _ in firsts]
    waveform = np.nan_to_num(np.clip(np.stack(spans), -1, 1)).astype(np.float32)
    return waveform.reshape(*starts.shape, -1), has_audio


def _check_arguments(starts, duration, sample_rate) -> None:
    if sample_rate < 1:
        raise ValueError(f"`sample_rate` is {sample_rate}; give a number of Hz.")
    if duration is None and starts.ndim:
        raise ValueError(
            "`duration` is missing; give the seconds of each span, or one `start`."
        )
    if duration is not None and round(duration * sample_rate) < 1:
        raise ValueError(f"`duration` is {duration}; give a number of seconds.")


def _describe(path: Path) -> tuple[float, float, bool]:
    """Where time 0 is on the clock of the container, its length, has it sound."""
    with opened(path) as container:
        length = (container.duration or 0) / av.time_base
        stream = container.streams.best("audio")
        try:
            return start_seconds(video_stream(container, path)), length, bool(stream)
        except MediaError:
            if stream is None:
                raise MediaError(f"{path}: has neither picture nor sound.") from None
        # Containers differ in whether what a codec adds in front counts.
        first = next(_decoded(container, stream, path), None)
        if first is None:
            raise MediaError(f"{path}: no sound can be decoded; the file is damaged.")
        return _seconds(first) or 0.0, length, True


def _read_span(path, origin, first, count, sample_rate) -> np.ndarray:
    """Samples from the one numbered `first` on, counted from time 0."""
    start = first / sample_rate
    stop = math.inf
    if count is not None:
        stop = (first + count) / sample_rate + MARGIN_SECONDS
    runs = _read_runs(path, origin, start, stop, seek=start > PREROLL_SECONDS)
    if runs is None:
        # Some containers seek past what they can decode.
        runs = _read_runs(path, origin, start, stop, seek=False)
    pieces = [run.on_grid(sample_rate) for run in runs]
    if count is None:
        count = max([0, *(place + len(piece) - first for place, piece in pieces)])
    span = np.zeros(count, np.float32)
    for place, piece in pieces:
        begin, end = max(place - first, 0), min(place - first + len(piece), count)
        if begin < end:
            span[begin:end] = piece[begin + first - place : end + first - place]
    return span


def _read_runs(path, origin, start, stop, seek):
    """Unbroken runs of sound that cover a span; `None` if the seek went past it."""
    runs = []
    with opened(path) as container:
        stream = container.streams.best("audio")
        if seek:
            _seek(container, stream, origin + start - PREROLL_SECONDS)
        time = None
        for frame in _decoded(container, stream, path):
            seconds = _seconds(frame)
            if seconds is not None:
                time = seconds - origin
            elif time is None:
                time = 0.0
            if seek and not runs and time > start:
                return None
            if time >= stop:
                break
            end = time + frame.samples / frame.sample_rate
            if end > start - PREROLL_SECONDS:
                if not (runs and runs[-1].goes_on(time, frame.sample_rate)):
                    runs.append(_Run(frame.sample_rate))
                runs[-1].append(time, frame)
            time = end
    return None if seek and not runs else runs


class _Run:
    """Frames of sound that follow each other without a gap."""

    def __init__(self, rate: int):
        self.rate = rate
        self.starts: list[float] = []
        self.parts: list[np.ndarray] = []
        self.length = 0

    def goes_on(self, time: float, rate: int) -> bool:
        expected = self.starts[0] + self.length / self.rate
        return rate == self.rate and abs(time - expected) < GAP_SECONDS

    def append(self, time: float, frame) -> None:
        # Where the run starts, going by this frame: rounding differs.
        self.starts.append(time - self.length / self.rate)
        part = _mono(frame)
        self.parts.append(part)
        self.length += len(part)

    def on_grid(self, sample_rate: int) -> tuple[int, np.ndarray]:
        """Number of the first sample at another rate, and the samples.

        Both rates have a sample at time 0 and every now and then after it. From
        such a point on the run is resampled, so that the same moment has the
        same samples wherever decoding began.
        """
        divisor = math.gcd(self.rate, sample_rate)
        period = self.rate // divisor
        first = round(float(np.median(self.starts)) * self.rate)
        lead = first % period
        samples = np.concatenate([np.zeros(lead, np.float32), *self.parts])
        place = (first - lead) // period * (sample_rate // divisor)
        return place, _resampled(samples, self.rate, sample_rate)


def _mono(frame) -> np.ndarray:
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    mean = samples.mean(axis=0, dtype=np.float64)
    if kind == "u":
        mean = mean - 128
    if kind in "iu":
        mean = mean / 2.0 ** (8 * size - 1)
    return mean.astype(np.float32)


def _resampled(samples: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    if rate == sample_rate:
        return samples
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler("fltp", "mono", sample_rate)
    parts = resampler.resample(frame) + resampler.resample(None)
    parts = [part.to_ndarray()[0] for part in parts]
    # The filter gives a sample more than there is time for.
    count = -(-len(samples) * sample_rate // rate)
    return np.concatenate([np.zeros(0, np.float32), *parts])[:count]


def _decoded(container, stream, path: Path):
    """Frames in order; damaged packets are left out, nothing at all is an error."""
    count, problem = 0, None
    if stream.codec_context is None:
        raise MediaError(f"{path}: its sound is of a codec that is not known.")
    try:
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    if frame.samples:
                        count += 1
                        yield frame
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError) as error:
                problem = error
    except (av.FFmpegError, OSError) as error:
        problem = error
    if count == 0 and problem is not None:
        raise MediaError(f"{path}: its sound cannot be decoded ({why(problem)}).")


def _seconds(frame) -> float | None:
    return None if frame.pts is None else float(frame.pts * frame.time_base)


def _seek(container, stream, seconds: float) -> None:
    try:
        place = max(0, math.floor(seconds / stream.time_base))
        container.seek(place, stream=stream, backward=True)
    except (av.FFmpegError, OSError):
        container.seek(0)
