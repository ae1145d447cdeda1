"""Writing sound files and sound tracks, with PyAV (which bundles FFmpeg)."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from keras_avrep.data.files import replacing

CODECS = {
    ".wav": "pcm_s16le",
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".ogg": "libopus",
    ".opus": "libopus",
    # An AVI does not say what a codec adds in front: only plain samples are
    # sure to be in time with the picture.
    ".avi": "pcm_s16le",
    ".webm": "libopus",
}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
CHUNK = 1024


def write_audio(
    path: str | os.PathLike,
    waveform: np.ndarray,
    sample_rate: int = 16000,
    *,
    codec: str | None = None,
) -> None:
    """Write sound to a file, complete or not at all.

    Args:
        path: the file; its suffix decides the format: `.wav` (16 bits),
            `.flac`, `.mp3`, `.m4a`, `.ogg` or `.opus`.
        waveform: float array `(S,)` or `(S, channels)` in [-1, 1], of 1, 2 or 6
            channels; what is outside is clipped.
        sample_rate: int. In Hz. Defaults to 16000.
        codec: string. An FFmpeg encoder such as `"pcm_f32le"`. Defaults to the
            one for the suffix.

    Raises:
        ValueError: if the waveform is empty or has another shape, or there is
            no codec for the suffix.

    Example:
    ```python
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    keras_avrep.data.write_audio("tone.wav", tone)
    ```
    """
    suffix = Path(path).suffix.lower()
    if codec is None and suffix not in CODECS:
        raise ValueError(
            f"`path` {path} has a suffix that tells no format; use one of "
            f"{sorted(CODECS)} or give `codec`."
        )
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        sound = SoundTrack(container, waveform, sample_rate, codec or CODECS[suffix])
        sound.finish()


class SoundTrack:
    """A sound track of a container that is being written, bit by bit.

    Args:
        container: an `av` container opened for writing, before anything was.
        waveform: float array `(S,)` or `(S, channels)` in [-1, 1].
        sample_rate: int. In Hz. Where the codec has no such rate, the sound is
            resampled to the next higher one it has.
        codec: string. An FFmpeg encoder.
        start: float. Seconds of the first sample. Defaults to 0.

    Example:
    ```python
    with av.open("tone.wav", "w") as container:
        SoundTrack(container, tone, 16000, "pcm_s16le").finish()
    ```
    """

    def __init__(self, container, waveform, sample_rate, codec, start=0.0):
        samples = np.asarray(waveform, np.float32)
        if samples.ndim == 1:
            samples = samples[:, None]
        if samples.ndim != 2 or not len(samples) or samples.shape[1] not in LAYOUTS:
            raise ValueError(
                f"The sound has shape {np.shape(waveform)}; give (S,) or "
                f"(S, channels) with S above 0 and {sorted(LAYOUTS)} channels."
            )
        self.samples = np.clip(samples, -1, 1)
        self.sample_rate = sample_rate
        self.container = container
        self.layout = LAYOUTS[samples.shape[1]]
        self.offset = round(start * sample_rate)
        self.position = 0
        self.stream = container.add_stream(codec, rate=codec_rate(codec, sample_rate))
        self.stream.layout = self.layout

    def write_until(self, seconds: float) -> None:
        """Write on to some seconds of the container's time, for interleaving."""
        while self.position < len(self.samples):
            if (self.offset + self.position) / self.sample_rate >= seconds:
                return
            chunk = self.samples[self.position : self.position + CHUNK]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(chunk.T), format="fltp", layout=self.layout
            )
            frame.sample_rate = self.sample_rate
            frame.time_base = Fraction(1, self.sample_rate)
            frame.pts = self.offset + self.position
            # The encoder converts rate, sample format and frame size itself.
            self.container.mux(self.stream.encode(frame))
            self.position += len(chunk)

    def finish(self) -> None:
        """Write the rest."""
        self.write_until(float("inf"))
        self.container.mux(self.stream.encode())


def codec_rate(codec: str, wanted: int) -> int:
    """The rate an encoder has that is nearest from above, else its highest."""
    rates = sorted(av.Codec(codec, "w").audio_rates or [wanted])
    return next((rate for rate in rates if rate >= wanted), rates[-1])
