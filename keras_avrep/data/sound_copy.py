"""The sound track of one file in another: its packets, or encoded anew."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from keras_avrep.data.audio_writer import CODECS, LAYOUTS, codec_rate

# What is further off than this is a gap in the sound, not rounding.
GAP_SECONDS = 0.02


def sound_track(target, suffix: str, stream, base: Fraction):
    """The sound of an opened file as a track of a file that is being written.

    Args:
        target: `av` container opened for writing, before anything was.
        suffix: string. Of the file that is being written, such as `".mp4"`.
        stream: sound stream of an opened file.
        base: seconds on the clock of the opened file that become 0.

    Returns:
        Object with `write_until(seconds)` and `finish()`. The packets are copied
        where the container takes them, else channels and rate are kept and the
        sound is encoded anew, as far as the codec has that rate.
    """
    if can_hold(suffix, stream):
        return CopiedTrack(target, stream, base)
    return EncodedTrack(target, stream, base, CODECS.get(suffix, "aac"))


def can_hold(suffix: str, stream) -> bool:
    """Whether a container takes the packets of a sound stream as they are."""
    if suffix in (".mp4", ".m4v") and stream.codec_context.name.startswith("pcm_"):
        # Allowed since 2023, and hardly anything plays it.
        return False
    try:
        # Some containers only refuse when their header is written.
        with av.open(io.BytesIO(), "w", format=_format(suffix)) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


class CopiedTrack:
    """Packets as they are, moved in time.

    Args:
        target: as of `sound_track`, like all others.
    """

    def __init__(self, target, stream, base: Fraction):
        self.target = target
        self.stream = target.add_stream_from_template(stream)
        self.shift = round(base / stream.time_base)
        self.packets = stream.container.demux(stream)
        self.time_base = stream.time_base
        self.waiting = None

    def write_until(self, seconds) -> None:
        """Write on to some seconds of the file's time, for interleaving."""
        while (packet := self.waiting or next(self.packets, None)) is not None:
            self.waiting = None
            if packet.dts is None:
                continue
            if (packet.dts - self.shift) * self.time_base >= seconds:
                self.waiting = packet
                return
            packet.dts -= self.shift
            if packet.pts is not None:
                packet.pts -= self.shift
            packet.stream = self.stream
            self.target.mux(packet)

    def finish(self) -> None:
        """Write the rest."""
        self.write_until(float("inf"))


class EncodedTrack:
    """Sound decoded and encoded anew, with silence where it has gaps.

    Args:
        target: as of `sound_track`, like all others.
        codec: string. An FFmpeg encoder.
    """

    def __init__(self, target, stream, base: Fraction, codec: str):
        self.target = target
        self.base = base
        self.rate = stream.rate
        self.layout = stream.layout.name
        if self.layout.endswith("channels"):
            # Plain samples may not say which channel is which.
            self.layout = LAYOUTS.get(stream.channels, self.layout)
        self.stream = target.add_stream(codec, rate=codec_rate(codec, self.rate))
        self.stream.layout = self.layout
        self.frames = self._decoded(stream)
        self.next = None  # number of the sample to be written next

    def write_until(self, seconds) -> None:
        """Write on to some seconds of the file's time, for interleaving."""
        while self.next is None or self.next < seconds * self.rate:
            frame = next(self.frames, None)
            if frame is None:
                return
            self._write(frame)

    def finish(self) -> None:
        """Write the rest."""
        self.write_until(float("inf"))
        self.target.mux(self.stream.encode())

    def _write(self, frame) -> None:
        samples = frame.to_ndarray()
        place = self.next or 0
        if frame.pts is not None:
            seconds = frame.pts * Fraction(frame.time_base) - self.base
            place = round(seconds * self.rate)
        if self.next is None:
            self.next = place
        late = place - self.next
        if late > GAP_SECONDS * self.rate:
            self._encode(np.zeros((len(samples), late), np.float32))
        elif late < -GAP_SECONDS * self.rate:
            samples = samples[:, -late:]
        self._encode(samples)

    def _encode(self, samples) -> None:
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout=self.layout
        )
        frame.sample_rate = self.rate
        frame.time_base = Fraction(1, self.rate)
        frame.pts = self.next
        self.next += samples.shape[1]
        # The encoder converts rate, sample format and frame size itself.
        self.target.mux(self.stream.encode(frame))

    def _decoded(self, stream):
        """Frames as floats, one row a channel; damaged packets are left out."""
        resampler = av.AudioResampler("fltp", self.layout, self.rate)
        for packet in stream.container.demux(stream):
            try:
                for frame in packet.decode():
                    if frame.samples:
                        yield from resampler.resample(frame)
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError):
                continue


def _format(suffix: str) -> str:
    return {".mkv": "matroska", ".m4v": "mp4"}.get(suffix, suffix.lstrip("."))


def suffix_of(path) -> str:
    """The suffix that decides the container."""
    return Path(path).suffix.lower()
