import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from gradients import gradient
from keras import ops

from keras_avrep.layers import LogMel
from keras_avrep.layers.log_mel import mel_filters


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def tone(hertz, seconds=1.0, rate=16000):
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * t)).astype("float32")


def slaney_filters(fft_length, rate, bins, low, high):
    """Filters as in the Auditory Toolbox, one number at a time."""

    def to_mel(f):
        return f / (200 / 3) if f < 1000 else 15 + np.log(f / 1000) / (np.log(6.4) / 27)

    def to_hz(m):
        return m * (200 / 3) if m < 15 else 1000 * np.exp((np.log(6.4) / 27) * (m - 15))

    step = (to_mel(high) - to_mel(low)) / (bins + 1)
    edges = [to_hz(to_mel(low) + i * step) for i in range(bins + 2)]
    filters = np.zeros((fft_length // 2 + 1, bins))
    for row in range(len(filters)):
        f = row * rate / fft_length
        for i in range(bins):
            left, centre, right = edges[i : i + 3]
            if left < f <= centre:
                filters[row, i] = (f - left) / (centre - left)
            elif centre < f < right:
                filters[row, i] = (right - f) / (right - centre)
            filters[row, i] *= 2 / (right - left)
    return filters


def scipy_magnitude(x, window, length, hop, rate):
    taps = scipy.signal.get_window(window, length)
    _, _, spectrum = scipy.signal.stft(
        x, rate, taps, length, length - hop, boundary="zeros", padded=False
    )
    return np.abs(spectrum).T * taps.sum()


def test_defaults_are_those_of_csol():
    x = noise(16000) * np.linspace(0, 1, 16000) ** 4
    magnitude = scipy_magnitude(x, "hann", 160, 80, 16000)
    mel = magnitude @ slaney_filters(160, 16000, 64, 0, 8000)
    expected = 10 * np.log10(np.maximum(1e-10, mel))
    expected = np.maximum(expected, expected.max() - 80)
    found = ops.convert_to_numpy(LogMel()(x[None]))[0]
    assert found.shape == (201, 64)
    assert found.dtype == np.float32
    # Zeros before the first sample: the fade in spans the whole 80 dB.
    assert expected.min() == expected.max() - 80
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_ssw60_is_decibels_of_power():
    x = noise(66150)
    magnitude = scipy_magnitude(x, "hann", 512, 128, 22050)
    mel = magnitude**2 @ slaney_filters(512, 22050, 128, 0, 11025)
    expected = 10 * np.log10(np.maximum(1e-10, mel))
    expected = np.maximum(expected, expected.max() - 80)
    found = ops.convert_to_numpy(LogMel.ssw60()(x))
    assert found.shape == (517, 128)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_mov_has_a_frame_every_hundredth_of_a_second():
    x = noise(2, 32000)
    spectrum = tf.signal.stft(
        x,
        400,
        160,
        512,
        lambda n, dtype: tf.signal.hamming_window(n, True, dtype),
        True,
    )
    filters = tf.signal.linear_to_mel_weight_matrix(128, 257, 16000, 0.0, 8000.0)
    mel = np.square(np.abs(spectrum.numpy())) @ filters.numpy()
    found = ops.convert_to_numpy(LogMel.mov()(x))
    assert found.shape == (2, 200, 128)
    # Filters narrower than a bin have weights that float32 cannot tell.
    clear = mel > 1e-3
    assert clear.mean() > 0.8
    np.testing.assert_allclose(found[clear], np.log(mel + 1e-6)[clear], atol=5e-3)
    shifted = LogMel.mov(mean=1.5, std=4.0)(x)
    np.testing.assert_allclose(shifted, (found - 1.5) / 4.0, atol=1e-5)


# Windows and hops of MOV, SSW60 and CSOL, with the bins that they have; fewer
# filters where bins lie far apart, or most would hold none.
@pytest.mark.filterwarnings("ignore:.*system plugins")
@pytest.mark.parametrize(
    ("window", "hop", "bins", "mels"),
    [(400, 160, 512, 64), (512, 128, 512, 64), (160, 80, 160, 16)],
)
def test_by_its_arguments_it_is_that_of_tensorflow_io(window, hop, bins, mels):
    tfio = pytest.importorskip("tensorflow_io", exc_type=ImportError)
    # A tone in noise that is 40 dB softer: half of the range is used, or more.
    x = tone(1234) + 0.01 * noise(16000)
    spectrum = tfio.audio.spectrogram(x, nfft=bins, window=window, stride=hop)
    mel = tfio.audio.melscale(spectrum, rate=16000, mels=mels, fmin=60, fmax=7800)
    expected = tfio.audio.dbscale(mel, top_db=80).numpy()
    layer = LogMel(
        window_length=window,
        hop_length=hop,
        fft_length=bins,
        mel_bins=mels,
        low_hz=60.0,
        high_hz=7800.0,
        padding="end",
        mel_scale="htk",
        mel_norm=None,
        # Its decibels are of the square of what the filters gave.
        dynamic_range=40.0,
    )
    found = 2 * ops.convert_to_numpy(layer(x))
    assert found.shape == expected.shape == (-(-16000 // hop), mels)
    assert np.ptp(expected) > 60
    # Filters narrower than a bin have weights that float32 cannot tell.
    clear = mel.numpy() > 1e-3
    assert clear.mean() > 0.9
    np.testing.assert_allclose(found[clear], expected[clear], atol=5e-3)


def test_low_filters_of_short_windows_are_empty():
    # Bins lie 100 Hz apart and filters reach over 93: two fall between bins.
    found = ops.convert_to_numpy(LogMel(dynamic_range=None)(noise(1, 16000)))[0]
    empty = np.flatnonzero((found == found.min()).all(axis=0))
    assert found.min() == pytest.approx(-100)
    assert empty.tolist() == [0, 13]
    assert not slaney_filters(160, 16000, 64, 0, 8000)[:, empty].any()


@pytest.mark.parametrize("scale,norm", [("slaney", "slaney"), ("htk", None)])
def test_filters_have_the_height_or_the_area_that_is_promised(scale, norm):
    hertz = np.linspace(0, 8000, 80001)
    filters = mel_filters(hertz, 40, 125.0, 7500.0, scale, norm)
    if norm:
        np.testing.assert_allclose(filters.sum(axis=0) * 0.1, 1, rtol=2e-3)
    else:
        np.testing.assert_allclose(filters.max(axis=0), 1, atol=2e-3)
        inside = (hertz > 200) & (hertz < 7000)
        np.testing.assert_allclose(filters.sum(axis=1)[inside], 1, atol=1e-6)
    assert not filters[(hertz < 125) | (hertz > 7500)].any()


@pytest.mark.parametrize("hertz", [1000, 2500, 6000])
def test_a_tone_is_loudest_in_its_filter_at_every_time(hertz):
    centres = np.argmax(slaney_filters(160, 16000, 64, 0, 8000)[hertz // 100])
    found = ops.convert_to_numpy(LogMel()(tone(hertz)[None]))[0]
    loudest = found[2:-2].argmax(axis=1)
    assert np.abs(loudest - centres).max() <= 1


def test_frame_counts_follow_the_padding():
    for length in (16000, 16001, 1234, 401):
        x = np.zeros((1, length), "float32")
        for padding, frames in (
            ("symmetric", 1 + length // 160),
            ("end", -(-length // 160)),
            ("none", 1 + (length - 400) // 160),
        ):
            layer = LogMel(window_length=400, hop_length=160, padding=padding)
            assert layer(x).shape == (1, frames, 64)
            assert layer.compute_output_shape(x.shape) == (1, frames, 64)


def test_a_later_click_is_in_a_later_frame():
    x = np.zeros((1, 16000), "float32")
    x[0, 8000] = 1
    found = ops.convert_to_numpy(LogMel()(x))[0].sum(axis=1)
    assert found.argmax() == 100


def test_silence_is_finite_and_has_finite_gradients():
    x = np.stack([np.zeros(1600), tone(500, 0.1)]).astype("float32")
    for layer in (LogMel(), LogMel(power=2.0), LogMel.mov(), LogMel(power=0.5)):
        assert np.isfinite(ops.convert_to_numpy(layer(x))).all()
        slope = gradient(lambda x, layer=layer: ops.sum(layer(x)), x)
        assert np.isfinite(slope).all()
        assert not slope[0].any()
        assert slope[1].any()


def test_computes_in_float32_with_any_leading_shape():
    keras.config.set_dtype_policy("mixed_bfloat16")
    x = noise(2, 3, 800)
    found = LogMel()(x)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert found.shape == (2, 3, 11, 64)
    np.testing.assert_allclose(found[1, 2], LogMel()(x[1, 2]), atol=1e-4)


def test_runs_compiled_and_in_a_functional_model():
    inputs = keras.Input((1600,))
    model = keras.Model(inputs, LogMel()(inputs))
    assert model.output_shape == (None, 21, 64)
    x = noise(3, 1600)
    model.compile(jit_compile=keras.backend.backend() != "torch")
    np.testing.assert_allclose(
        model.predict_on_batch(x), ops.convert_to_numpy(LogMel()(x)), atol=1e-3
    )


def test_config_and_errors():
    layer = LogMel.mov(mel_bins=32)
    again = LogMel.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    for arguments in (
        {"window": "square"},
        {"padding": "same"},
        {"mel_scale": "bark"},
        {"mel_norm": "l2"},
        {"log": "log2"},
        {"fft_length": 100},
        {"high_hz": 9000.0},
    ):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
            LogMel(**arguments)
    with pytest.raises(ValueError, match="waveforms"):
        LogMel(padding="none")(np.zeros((1, 100), "float32"))
    with pytest.raises(ValueError, match="fixed"):
        LogMel()(keras.Input((None,)))
