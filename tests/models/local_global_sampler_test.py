from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_avrep.models import LocalGlobalSampler
from keras_avrep.models.controllable_augmentations.local_global_sampler import (
    count_frames,
)


def record(frames, fps=12.0):
    return SimpleNamespace(duration=frames / fps, fps=fps)


def drawn(sampler, video, seed=0):
    sample = sampler(video, np.random.default_rng(seed))
    index = {
        name: np.floor(sample[name] * video.fps + 1e-6) for name in ("local", "global")
    }
    return index, sample["numbers"], sample


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 400),
    st.sampled_from([5.0, 12.0, 23.976, 30.0, 120.0]),
    st.integers(2, 4),
    st.integers(1, 16),
    st.integers(1, 2),
    st.integers(0, 9),
)
def test_records_are_what_happened(frames, fps, num_local, num_frames, stride, seed):
    video = record(frames, fps)
    sampler = LocalGlobalSampler(num_local, num_frames, (stride, 2 * stride))
    index, numbers, sample = drawn(sampler, video, seed)
    assert count_frames(video) == frames
    assert index["local"].shape == (num_local, num_frames)
    for times in (sample["local"], sample["global"]):
        assert (times >= 0).all() and (times < video.duration).all()
    steps = np.arange(num_frames)
    # Rounded frames are those of the record, to less than one frame.
    wanted = numbers["local_start"][:, None] + steps * numbers["local_stride"]
    assert (wanted - index["local"] < 1).all() and (
        index["local"] < wanted + 1e-3
    ).all()
    wanted = numbers["global_start"] + steps * numbers["global_stride"]
    assert (wanted - index["global"] < 1).all()
    assert (index["global"] < wanted + 1e-3).all()
    if frames >= num_frames:
        assert (np.diff(index["global"]) == numbers["global_stride"]).all()
        assert (np.diff(index["local"], axis=1) == numbers["local_stride"]).all()
    starts = numbers["local_start"]
    assert (np.diff(starts) >= 0).all()
    length = num_frames * numbers["local_stride"]
    begin = numbers["global_start"]
    end = begin + num_frames * numbers["global_stride"]
    assert (starts >= begin).all() and (starts + length <= end + 1e-3).all()
    if numbers["ordered"]:
        assert (np.diff(starts) >= length).all()
        part = min(frames - begin, end - begin) / num_local
        places = np.arange(num_local)
        assert (starts - begin > places * part - 1).all()
        assert (starts - begin + length < (places + 1) * part + 1).all()
    else:
        assert numbers["local_stride"] <= 1


def test_the_global_view_covers_a_video_that_is_not_too_long():
    for frames in (8, 16, 47, 48, 55, 57):
        index, numbers, _ = drawn(LocalGlobalSampler(3, 8), record(frames))
        assert numbers["global_stride"] == (frames - 1) // 7
        assert index["global"][-1] >= frames - numbers["global_stride"] - 7
    _, numbers, _ = drawn(LocalGlobalSampler(3, 8), record(500))
    assert numbers["global_stride"] == 8


def test_one_stride_for_all_local_clips_and_both_are_drawn():
    sampler = LocalGlobalSampler(3, 8, (1, 2))
    found = {float(drawn(sampler, record(48), s)[1]["local_stride"]) for s in range(30)}
    assert found == {1.0, 2.0}


def test_short_videos_fall_back_to_stride_one_and_say_so():
    sampler = LocalGlobalSampler(3, 8, (1, 2))
    assert drawn(sampler, record(24))[1]["ordered"] == 1
    index, numbers, _ = drawn(sampler, record(20))
    assert numbers["ordered"] == 0
    assert numbers["local_stride"] == 1
    assert (np.diff(index["local"], axis=1) == 1).all()
    index, numbers, _ = drawn(sampler, record(4))
    assert numbers["ordered"] == 0
    assert numbers["global_stride"] == 0.5
    np.testing.assert_array_equal(index["global"], [0, 0, 1, 1, 2, 2, 3, 3])


def test_the_strides_of_a_long_stride_fall_back_too():
    numbers = drawn(LocalGlobalSampler(3, 8, (4, 8)), record(48))[1]
    assert numbers["local_stride"] == 1
    assert numbers["ordered"] == 1


def test_one_local_clip_is_refused():
    with pytest.raises(ValueError, match="num_local"):
        LocalGlobalSampler(1)
