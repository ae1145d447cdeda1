import math

import keras
import numpy as np
from keras import ops

# Weights of the cosines in periodic windows.
WINDOWS = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}
PADDINGS = ("symmetric", "end", "none")
SCALES = ("slaney", "htk")
LOGARITHMS = ("decibel", "natural")


@keras.saving.register_keras_serializable(package="keras_avrep")
class LogMel(keras.layers.Layer):
    """Log-mel spectrogram of waveforms, time axis first.

    The short-time Fourier transform is one strided convolution with windowed
    cosines and sines, so it runs on every backend, under XLA and as a plain
    convolution in LiteRT. Computes in float32 under any policy.

    The defaults are those of CSOL; `LogMel.ssw60()` and `LogMel.mov()` are two
    more sets of arguments.

    Args:
        sample_rate: int. In Hz. Defaults to 16000.
        window_length: int. Samples of a window. Defaults to 160, 10 ms.
        hop_length: int. Samples from one window to the next. Defaults to 80.
        fft_length: int. Points of the transform; a window that is shorter is
            filled up with zeros. Defaults to `window_length`.
        mel_bins: int. Defaults to 64.
        low_hz: float. Lower edge of the lowest filter. Defaults to 0.
        high_hz: float. Upper edge of the highest filter. Defaults to half the
            sample rate.
        window: string. `"hann"` or `"hamming"`, periodic. Defaults to `"hann"`.
        padding: string. Zeros around the waveform: `"symmetric"` centres the
            first window on the first sample, `"end"` fills up the last windows,
            so that there is one for every hop, `"none"` leaves out windows that
            are not full. Defaults to `"symmetric"`.
        power: float. Of the magnitude, before the filters. Defaults to 1.
        mel_scale: string. `"slaney"` is librosa's, linear below 1000 Hz and
            with triangles over the Hz axis; `"htk"` is TensorFlow's, with
            triangles over the mel axis. Defaults to `"slaney"`.
        mel_norm: string. `"slaney"` gives all filters the same area over Hz,
            `None` the same height 1. Defaults to `"slaney"`.
        log: string. `"decibel"` is 10 log10, `"natural"` is the logarithm to
            base e. Defaults to `"decibel"`.
        floor: float. Filter outputs below are raised to it. Defaults to 1e-10.
        offset: float. Added to filter outputs. Defaults to 0.
        dynamic_range: float or `None`. Values more than this below the maximum of
            their clip, in dB (nats where `log="natural"`), are raised to that maximum
            minus it; `None` sets no limit. Defaults to 80.
        mean: float. Subtracted at the end. Defaults to 0.
        std: float. Divides at the end. Defaults to 1.

    Call arguments:
        waveforms: tensor `(..., S)` in [-1, 1], S fixed.

    Returns:
        float32 tensor `(..., frames, mel_bins)`; with `"symmetric"` padding and
        an even window, `1 + S // hop_length` frames.

    Raises:
        ValueError: if an argument is not as described, or the waveform is
            shorter than a window that has to be full.

    Example:
    ```python
    LogMel()(keras.random.uniform((2, 16000), -1, 1)).shape  # (2, 201, 64)
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.1.
    """

    def __init__(
        self,
        sample_rate=16000,
        window_length=160,
        hop_length=80,
        fft_length=None,
        mel_bins=64,
        low_hz=0.0,
        high_hz=None,
        window="hann",
        padding="symmetric",
        power=1.0,
        mel_scale="slaney",
        mel_norm="slaney",
        log="decibel",
        floor=1e-10,
        offset=0.0,
        dynamic_range=80.0,
        mean=0.0,
        std=1.0,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        _check("window", window, tuple(WINDOWS))
        _check("padding", padding, PADDINGS)
        _check("mel_scale", mel_scale, SCALES)
        _check("mel_norm", mel_norm, ("slaney", None))
        _check("log", log, LOGARITHMS)
        if fft_length is not None and fft_length < window_length:
            raise ValueError(
                f"`fft_length` is {fft_length}, shorter than the window of "
                f"{window_length}; give at least that."
            )
        self.sample_rate = sample_rate
        self.window_length = window_length
        self.hop_length = hop_length
        self.fft_length = window_length if fft_length is None else fft_length
        self.mel_bins = mel_bins
        self.low_hz = low_hz
        self.high_hz = sample_rate / 2 if high_hz is None else high_hz
        if not 0 <= low_hz < self.high_hz <= sample_rate / 2:
            raise ValueError(
                f"`low_hz` {low_hz} and `high_hz` {self.high_hz} must rise and lie "
                f"from 0 to half the sample rate, {sample_rate / 2}."
            )
        self.window = window
        self.padding = padding
        self.power = power
        self.mel_scale = mel_scale
        self.mel_norm = mel_norm
        self.log = log
        self.floor = floor
        self.offset = offset
        self.dynamic_range = dynamic_range
        self.mean = mean
        self.std = std
        self.built = True

    @classmethod
    def ssw60(cls, **changes):
        """For bird sounds: 22,050 Hz, 128 bins, fine steps in time.

        A window of 3 s, 66,150 samples, gives `(517, 128)`.

        Args:
            **changes: arguments that are to differ.

        Returns:
            `LogMel`.

        Example:
        ```python
        LogMel.ssw60()(keras.ops.zeros((1, 66150))).shape  # (1, 517, 128)
        ```

        Reference: note of SSW60 (arXiv:2207.10664), section 2.4: window, hop and
        bins; the rest is chosen.
        """
        arguments = {
            "sample_rate": 22050,
            "window_length": 512,
            "hop_length": 128,
            "mel_bins": 128,
            "power": 2.0,
        }
        return cls(**{**arguments, **changes})

    @classmethod
    def mov(cls, **changes):
        """For general sounds, as in AudioSet: 100 frames a second, 128 bins.

        Clips of 10 s at 16 kHz give `(1000, 128)`. `mean` and `std` are those
        of a data set and have to be measured on it.

        Args:
            **changes: arguments that are to differ.

        Returns:
            `LogMel`.

        Example:
        ```python
        LogMel.mov(mean=-3.1, std=2.4)(keras.ops.zeros((1, 160000))).shape
        ```

        Reference: note of MOV (arXiv:2207.07646), section 2.3: rate, window, hop
        and bins; the filters, power and offset of 1e-6 are chosen.
        """
        arguments = {
            "window_length": 400,
            "hop_length": 160,
            "fft_length": 512,
            "mel_bins": 128,
            "window": "hamming",
            "padding": "end",
            "power": 2.0,
            "mel_scale": "htk",
            "mel_norm": None,
            "log": "natural",
            "offset": 1e-6,
            "dynamic_range": None,
        }
        return cls(**{**arguments, **changes})

    def call(self, waveforms):
        x = ops.cast(ops.convert_to_tensor(waveforms), "float32")
        leading, length = ops.shape(x)[:-1], x.shape[-1]
        frames = self._frames(length)
        x = ops.reshape(x, (-1, length, 1))
        x = ops.pad(x, [(0, 0), self._margins(length), (0, 0)])
        x = self._spectrum(x)
        x = ops.matmul(x, ops.convert_to_tensor(self._filters(), "float32"))
        x = ops.log(ops.maximum(x + self.offset, self.floor))
        if self.log == "decibel":
            x = x * (10 / math.log(10))
        if self.dynamic_range is not None:
            # The floor is a measure of the clip, and nothing is learned through it.
            loudest = ops.stop_gradient(ops.max(x, axis=(1, 2), keepdims=True))
            x = ops.maximum(x, loudest - self.dynamic_range)
        x = (x - self.mean) / self.std
        return ops.reshape(x, (*leading, frames, self.mel_bins))

    def _spectrum(self, x):
        """Magnitude to some power, `(batch, frames, bins)`."""
        kernel = ops.convert_to_tensor(self._fourier_kernel(), "float32")
        x = ops.conv(
            x,
            kernel,
            strides=self.hop_length,
            padding="valid",
            data_format="channels_last",
        )
        real, imaginary = ops.split(x, 2, axis=-1)
        squared = ops.square(real) + ops.square(imaginary)
        if self.power == 2:
            return squared
        # The root of zero, in silence, has no gradient.
        sounds = squared > 0
        root = ops.power(ops.where(sounds, squared, 1.0), self.power / 2)
        return ops.where(sounds, root, 0.0)

    def _fourier_kernel(self):
        """Windowed cosines, then sines: `(window_length, 1, 2 * bins)`."""
        time = np.arange(self.window_length)[:, None]
        constant, cosine = WINDOWS[self.window]
        window = constant - cosine * np.cos(2 * np.pi * time / self.window_length)
        bins = np.arange(self.fft_length // 2 + 1)
        # Whole turns are taken away first: the angle stays exact.
        angle = 2 * np.pi * (time * bins % self.fft_length) / self.fft_length
        kernel = window * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
        return kernel[:, None].astype("float32")

    def _filters(self):
        frequencies = np.arange(self.fft_length // 2 + 1) * (
            self.sample_rate / self.fft_length
        )
        return mel_filters(
            frequencies,
            self.mel_bins,
            self.low_hz,
            self.high_hz,
            self.mel_scale,
            self.mel_norm,
        )

    def _margins(self, length):
        """Zeros before and after the waveform."""
        if self.padding == "symmetric":
            return (self.window_length // 2, self.window_length // 2)
        if self.padding == "end":
            reach = (self._frames(length) - 1) * self.hop_length + self.window_length
            return (0, max(0, reach - length))
        return (0, 0)

    def _frames(self, length):
        if length is None:
            raise ValueError(
                "The number of samples of `waveforms` must be fixed; cut or pad them."
            )
        if self.padding == "end":
            return -(-length // self.hop_length)
        if self.padding == "symmetric":
            length += 2 * (self.window_length // 2)
        if length < self.window_length:
            raise ValueError(
                f"`waveforms` of {length} samples are shorter than the window of "
                f"{self.window_length}; give longer ones or another `padding`."
            )
        return 1 + (length - self.window_length) // self.hop_length

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self._frames(input_shape[-1]), self.mel_bins)

    def get_config(self):
        names = (
            *("sample_rate", "window_length", "hop_length", "fft_length", "mel_bins"),
            *("low_hz", "high_hz", "window", "padding", "power", "mel_scale"),
            *("mel_norm", "log", "floor", "offset", "dynamic_range", "mean", "std"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def mel_filters(frequencies, mel_bins, low_hz, high_hz, scale="slaney", norm="slaney"):
    """Triangular filters, equally spaced in mel and half overlapping.

    Args:
        frequencies: array `(F,)`, Hz of the bins of a spectrum.
        mel_bins: int.
        low_hz: float. Lower edge of the lowest filter.
        high_hz: float. Upper edge of the highest filter.
        scale: string. `"slaney"` or `"htk"`. Defaults to `"slaney"`.
        norm: string. `"slaney"` or `None`. Defaults to `"slaney"`.

    Returns:
        float64 array `(F, mel_bins)`.

    Example:
    ```python
    mel_filters(np.arange(81) * 100.0, 64, 0.0, 8000.0).shape  # (81, 64)
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.1.
    """
    frequencies = np.asarray(frequencies, float)
    edges = np.linspace(
        *_to_mel(np.array([low_hz, high_hz], float), scale), mel_bins + 2
    )
    edges_hz = _to_hz(edges, scale)
    if scale == "htk":
        place, corner = _to_mel(frequencies, scale)[:, None], edges
    else:
        place, corner = frequencies[:, None], edges_hz
    rising = (place - corner[:-2]) / (corner[1:-1] - corner[:-2])
    falling = (corner[2:] - place) / (corner[2:] - corner[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return filters * 2 / (edges_hz[2:] - edges_hz[:-2]) if norm else filters


def _to_mel(hertz, scale):
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    above = 15 + 27 * np.log(np.maximum(hertz, 1000) / 1000) / np.log(6.4)
    return np.where(hertz < 1000, hertz * 3 / 200, above)


def _to_hz(mel, scale):
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    above = 1000 * np.exp((np.maximum(mel, 15) - 15) * np.log(6.4) / 27)
    return np.where(mel < 15, mel * 200 / 3, above)


def _check(argument, value, choices):
    if value not in choices:
        raise ValueError(f"`{argument}` must be one of {choices}, got {value!r}.")
