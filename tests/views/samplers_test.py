from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_avrep.views import (
    ClipAugmentation,
    RandomClips,
    RandomMoment,
    UniformClips,
)


def record(duration, fps=10.0):
    return SimpleNamespace(duration=duration, fps=fps)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.05, 30),
    st.floats(1, 120),
    st.integers(1, 20),
    st.integers(1, 5),
    st.integers(0, 5),
)
def test_times_lie_in_the_video(duration, fps, num_frames, stride, seed):
    video = record(duration, fps)
    rng = np.random.default_rng(seed)
    sample = RandomClips(3, num_frames, stride)(video, rng)
    uniform = UniformClips(4, num_frames, stride)(video)["video"]
    assert sample["video"].shape == (3, num_frames)
    assert sample["static"].shape == (3,)
    for times in (sample["video"], sample["static"], uniform):
        assert (times >= 0).all()
        assert (times < duration + 1e-9).all()


def test_uniform_clips_by_hand():
    times = UniformClips(num_clips=3, num_frames=2, stride=5)(record(2.0))["video"]
    # The last clip starts at 2.0 - 6 / 10.
    np.testing.assert_allclose(times, [[0, 0.5], [0.7, 1.2], [1.4, 1.9]])


def test_one_uniform_clip_is_in_the_middle():
    times = UniformClips(num_clips=1, num_frames=2, stride=1)(record(1.2))["video"]
    np.testing.assert_allclose(times, [[0.5, 0.6]])


def test_short_videos_are_looped():
    times = UniformClips(num_clips=1, num_frames=6, stride=1)(record(0.3))["video"]
    np.testing.assert_allclose(times[0], [0, 0.1, 0.2, 0, 0.1, 0.2], atol=1e-9)


def test_clips_of_a_video_share_the_offset_of_the_frozen_frame():
    sampler = RandomClips(2, 4, 2)
    for seed in range(20):
        sample = sampler(record(60.0), np.random.default_rng(seed))
        offsets = sample["static"] - sample["video"][:, 0]
        assert offsets[0] == pytest.approx(offsets[1])
        assert 0 <= offsets[0] < 0.8


def test_augmented_clips_keep_their_frames_together():
    frame = np.random.default_rng(0).integers(0, 255, (3, 1, 24, 24, 3), "uint8")
    clips = np.repeat(frame, 4, axis=1)
    views = np.asarray(ClipAugmentation(size=16, seed=1)(clips))
    assert views.shape == (3, 4, 16, 16, 3)
    np.testing.assert_allclose(views[:, 0], views[:, 3], atol=1e-3)
    assert (views[0] != views[1]).any()


def test_augmentation_survives_its_configuration():
    layer = ClipAugmentation(size=16, flip=0.0, seed=1)
    again = ClipAugmentation.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 30), st.floats(1, 120), st.floats(0.1, 5), st.integers(0, 5))
def test_a_frame_lies_in_the_video_and_in_its_sound(duration, fps, seconds, seed):
    video = record(duration, fps)
    moment = RandomMoment(seconds)(video, np.random.default_rng(seed))
    start, frame = moment["audio"]["start"], moment["frame"]
    assert 0 <= start <= max(0, duration - seconds)
    assert 0 <= frame < duration
    # A span at the very end ends with the last frame, which is shown before it.
    assert start - 0.5 / fps <= frame <= start + seconds
    again = RandomMoment(seconds)(video, np.random.default_rng(seed))
    assert again == moment


def test_a_moment_needs_a_duration():
    with pytest.raises(ValueError, match="duration"):
        RandomMoment(0)
