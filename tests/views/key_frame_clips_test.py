from types import SimpleNamespace

import numpy as np
import pytest

from keras_avrep.views import KeyFrameClips, key_frame_times

VIDEO = SimpleNamespace(video_id="a.mp4", fps=10.0, duration=4.0)


def test_the_key_frame_is_in_the_middle():
    times = key_frame_times(VIDEO, 2.0, num_frames=8, stride=2)
    np.testing.assert_allclose(times, 2.0 + 0.2 * np.arange(-4, 4))


def test_edge_frames_are_repeated():
    first = key_frame_times(VIDEO, 0.2, num_frames=8, stride=2)
    np.testing.assert_allclose(first, [0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8])
    last = key_frame_times(VIDEO, 3.8, num_frames=8, stride=2)
    np.testing.assert_allclose(last[5:], 3.95)
    assert last[4] == pytest.approx(3.8)


def test_any_key_frame_of_a_video_is_drawn():
    sampler = KeyFrameClips({"a.mp4": [1.0, 2.0, 3.0]}, num_frames=4, stride=1)
    rng = np.random.default_rng(0)
    drawn = set()
    for _ in range(30):
        found = sampler(VIDEO, rng)
        position = int(found["numbers"]["key_frame"])
        np.testing.assert_allclose(found["video"][2], position + 1.0)
        drawn.add(position)
    assert drawn == {0, 1, 2}
    with pytest.raises(ValueError, match=r"has none of 'a\.mp4'"):
        KeyFrameClips({"a.mp4": []})(VIDEO, rng)


def test_a_video_without_key_frames_is_named():
    record = SimpleNamespace(video_id="x.mp4", fps=10.0, duration=4.0)
    for key_frames in ({}, {"x.mp4": []}):
        with pytest.raises(ValueError, match=r"none of 'x\.mp4'"):
            KeyFrameClips(key_frames)(record, np.random.default_rng(0))
