from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_avrep.views import ConsecutiveClips, channel_gray


def record(duration, fps=10.0):
    return SimpleNamespace(duration=duration, fps=fps)


@settings(max_examples=80, deadline=None)
@given(
    st.floats(0.05, 30),
    st.floats(1, 120),
    st.integers(1, 12),
    st.floats(1, 4),
    st.integers(0, 5),
)
def test_times_lie_in_the_video(duration, fps, num_frames, max_rate, seed):
    sampler = ConsecutiveClips(2, num_frames, max_rate)
    sample = sampler(record(duration, fps), np.random.default_rng(seed))
    assert sample["video"].shape == (2, num_frames)
    assert sample["static"].shape == (2,)
    for times in sample.values():
        assert (times >= 0).all()
        assert (times < duration + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(64, 500), st.integers(0, 1000))
def test_the_second_clip_follows_the_first_at_the_same_rate(frames, seed):
    sample = ConsecutiveClips(2, 16)(record(frames / 10), np.random.default_rng(seed))
    steps = np.diff(sample["video"].ravel()) * 10
    rate = steps.sum() / 31
    assert 1 - 1 / 31 <= rate <= min(3, frames / 32) + 1 / 31
    # Rounded positions differ from one rate by less than a frame. No step, the one
    # between the clips included, is another.
    assert np.ptp(steps) < 1 + 1e-6
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)


def test_the_frozen_frame_is_the_same_frame_of_both_clips():
    sampler, seen = ConsecutiveClips(2, 4), set()
    for seed in range(40):
        sample = sampler(record(60.0), np.random.default_rng(seed))
        places = [
            int(np.flatnonzero(clip == frame)[0])
            for clip, frame in zip(sample["video"], sample["static"], strict=True)
        ]
        assert places[0] == places[1]
        seen.add(places[0])
    assert seen == {0, 1, 2, 3}


def test_rates_fill_their_range():
    sampler = ConsecutiveClips(2, 16)
    rates = [
        np.ptp(sampler(record(60.0), np.random.default_rng(seed))["video"]) * 10 / 31
        for seed in range(200)
    ]
    assert min(rates) < 1.1
    assert max(rates) > 2.9


def test_a_rate_below_one_is_refused():
    with pytest.raises(ValueError, match="max_rate"):
        ConsecutiveClips(max_rate=0.5)


def test_gray_is_one_channel_for_all_frames_or_one_for_each():
    clip = np.random.default_rng(0).uniform(size=(8, 16, 2, 2, 3)).astype("float32")
    for each_frame in (False, True):
        seed = keras.random.SeedGenerator(1)
        gray = np.asarray(channel_gray(clip, seed, 1.0, each_frame))
        assert (gray[..., 0] == gray[..., 1]).all()
        assert (gray[..., 0] == gray[..., 2]).all()
        used = (gray == clip).all(axis=(2, 3))  # (clip, frame, channel)
        assert used.any(axis=-1).all()
        channels = used.argmax(axis=-1)
        assert ((channels == channels[:, :1]).all(axis=1)).all() != each_frame
    untouched = channel_gray(clip, keras.random.SeedGenerator(1), 0.0)
    np.testing.assert_array_equal(np.asarray(untouched), clip)
