import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_teg import build

from keras_avrep.models.teg import StepFeatureExtractor, resample_nearest


class Clock:
    """Stands for a model of steps: a feature is the gray value at its centre."""

    def predict_on_batch(self, clips):
        return clips[:, 1::2, 0, 0, :1]


def ramp(length):
    frames = np.zeros((length, 2, 2, 3), "float32")
    frames += np.arange(length, dtype="float32")[:, None, None, None]
    return frames


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 200), st.integers(1, 8), st.integers(1, 3), st.floats(0.2, 1.0))
def test_every_step_of_a_video_comes_once_and_in_order(length, pairs, stride, keep):
    frames = 2 * pairs
    try:
        extract = StepFeatureExtractor(Clock(), frames, stride, keep, batch_size=3)
    except ValueError:
        assert round(pairs * (1 - keep) / 2) * 2 >= pairs
        return
    features, times = extract(ramp(length))
    # A frame's gray value is its number: features and times agree.
    np.testing.assert_allclose(features[:, 0], np.minimum(times, length - 1))
    np.testing.assert_array_equal(np.diff(times), 2 * stride)
    assert times[0] == stride
    # Less than a step is left over at the end.
    assert len(times) == 1 or times[-1] > length - 1 - 4 * stride


def test_only_the_middle_of_inner_windows_is_kept():
    class Place:
        def predict_on_batch(self, clips):
            steps = np.arange(clips.shape[1] // 2, dtype="float32")
            return np.tile(steps[None, :, None], (len(clips), 1, 1))

    features, _ = StepFeatureExtractor(Place(), 16, 1)(ramp(40))
    kept = features[:, 0].astype(int).tolist()
    assert kept == [0, 1, 2, 3, 4, 5] + [2, 3, 4, 5] * 2 + [2, 3, 4, 5, 6, 7]


def test_extracts_from_the_real_model():
    model = build()
    extract = StepFeatureExtractor(model.inference_models()["steps"], 8, 1)
    frames = np.random.default_rng(0).integers(0, 255, (21, 16, 16, 3), "uint8")
    features, times = extract(frames)
    assert features.shape == (10, model.backbone.feature_dim)
    np.testing.assert_array_equal(times, np.arange(1, 21, 2))
    whole = model.inference_models()["steps"].predict(
        frames[None, 4:12].astype("float32"), verbose=0
    )
    # The window that starts at frame 4 gives its middle steps, at 7 and 9.
    np.testing.assert_allclose(features[3:5], whole[0, 1:3], atol=1e-4)
    assert keras.backend.standardize_dtype(features.dtype) == "float32"
    every = extract.per_frame(frames)
    assert every.shape == (21, model.backbone.feature_dim)
    np.testing.assert_array_equal(every[[0, 1, 6, 20]], features[[0, 0, 2, 9]])


def test_labels_are_those_of_the_nearest_step():
    values, times = np.array(["a", "b", "c"]), np.array([1.0, 3.0, 5.0])
    found = resample_nearest(values, times, np.arange(7))
    assert "".join(found) == "aaabbcc"


def test_windows_that_keep_nothing_are_refused():
    with pytest.raises(ValueError, match="keep"):
        StepFeatureExtractor(Clock(), 16, keep=0.0)
    with pytest.raises(ValueError, match="num_frames"):
        StepFeatureExtractor(Clock(), 15)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_nearest_step_is_found_as_by_looking_at_all(seed, count):
    rng = np.random.default_rng(seed)
    # Halves, so that some are equally near to two.
    times = np.sort(rng.choice(np.arange(0, 40) / 2, count, replace=False))
    wanted = np.arange(-4, 48) / 2
    expected = np.abs(wanted[:, None] - times[None]).argmin(axis=1)
    found = resample_nearest(np.arange(count), times, wanted)
    np.testing.assert_array_equal(found, expected)
