from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.views import (
    LinearDecaySampler,
    augment,
    boxes_in_frame,
    boxes_in_view,
    draw_boxes,
)
from keras_avrep.views.linear_decay_sampler import linear_decay_frames


def to_numpy(x):
    return ops.convert_to_numpy(x)


def seed(number=0):
    return keras.random.SeedGenerator(number)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 20), st.integers(1, 5), st.integers(0, 2**32)
)
def test_clips_have_their_stride_and_stay_in_the_video(length, frames, stride, number):
    rng = np.random.default_rng(number)
    clips = linear_decay_frames(length, frames, stride, rng)
    assert clips.shape == (2, frames)
    assert clips.min() >= 0
    assert clips.max() < length
    assert (np.diff(clips, axis=1) % length == stride % length).all()
    if length > (frames - 1) * stride:
        # Long enough: no clip wraps around.
        assert (clips[:, -1] == clips[:, 0] + (frames - 1) * stride).all()


def test_gaps_have_the_distribution_of_the_note():
    rng = np.random.default_rng(0)
    starts = np.array([linear_decay_frames(250, 16, 2, rng)[:, 0] for _ in range(4000)])
    gaps = np.abs(starts[:, 0] - starts[:, 1])
    assert gaps.mean() == pytest.approx(73, abs=2)
    assert (gaps <= 31).mean() == pytest.approx(0.27, abs=0.02)
    for k in (20, 80, 150):
        share = 2 * k / 220 - (k / 220) ** 2
        assert (gaps < k).mean() == pytest.approx(share, abs=0.02)
    assert (starts[:, 0] > starts[:, 1]).mean() == pytest.approx(0.5, abs=0.03)


def test_short_videos_have_independent_starts():
    rng = np.random.default_rng(0)
    starts = np.array([linear_decay_frames(10, 16, 2, rng)[:, 0] for _ in range(4000)])
    counts = np.bincount(starts[:, 0] * 10 + starts[:, 1], minlength=100)
    assert counts.min() > 15
    assert counts.max() < 75


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 30), st.floats(1, 120), st.integers(0, 5))
def test_times_lie_in_the_video(duration, fps, number):
    video = SimpleNamespace(duration=duration, fps=fps)
    sample = LinearDecaySampler(8, 2)(video, np.random.default_rng(number))
    assert sample.keys() == {"video"}
    assert sample["video"].shape == (2, 8)
    assert (sample["video"] >= 0).all()
    assert (sample["video"] < duration + 1e-9).all()


def test_boxes_have_the_distribution_of_the_note():
    boxes = to_numpy(draw_boxes(4000, 8, seed()))
    sides = boxes[..., 2:] - boxes[..., :2]
    assert sides.min() >= 0.01 - 1e-6
    assert boxes.min() >= 0
    assert boxes.max() <= 0.999 + 1e-6
    assert sides[..., 1].mean() == pytest.approx(0.25, abs=0.01)
    assert sides[..., 0].mean() == pytest.approx(0.28, abs=0.01)
    thin = (sides < 1 / 7).any(-1).mean()
    assert thin == pytest.approx(0.38, abs=0.02)
    # Independent corners: all over the picture.
    assert abs(np.corrcoef(boxes[..., 0].ravel(), boxes[..., 1].ravel())[0, 1]) < 0.02


def test_a_shared_draw_puts_boxes_on_the_diagonal():
    boxes = to_numpy(draw_boxes(50, 8, seed(), shared_draw=True))
    inside = boxes.max(-1) < 0.99
    np.testing.assert_allclose(boxes[inside][:, 0], boxes[inside][:, 1], atol=1e-6)
    u = boxes[inside][:, 1]
    width = boxes[inside][:, 3] - u
    height = boxes[inside][:, 2] - u
    np.testing.assert_allclose(width, 0.1 + 0.4 * u, atol=1e-5)
    np.testing.assert_allclose(height / width, 0.5 + 1.5 * u, atol=1e-4)


def test_boxes_in_the_frame_show_the_same_pixels():
    rng = np.random.default_rng(0)
    frame = rng.uniform(size=(2, 1, 40, 40, 3)).astype("float32")
    crops = np.array([[0.1, 0.2, 0.7, 0.9], [0.0, 0.3, 0.5, 1.0]], "float32")
    flips = np.array([False, True])
    boxes = to_numpy(draw_boxes(2, 3, seed(), min_side=0.2))
    placed = to_numpy(boxes_in_frame(boxes, crops, flips))
    for box in range(3):
        # Cropping twice is cropping once, but for the mirror.
        whole = augment.crop_and_resize(frame, placed[:, box], flips, 4)
        centre = to_numpy(whole).mean((1, 2, 3))
        view = augment.crop_and_resize(frame, crops, flips, 200)
        again = augment.crop_and_resize(view, boxes[:, box], flips & False, 4)
        np.testing.assert_allclose(to_numpy(again).mean((1, 2, 3)), centre, atol=0.03)


def test_solarising_inverts_what_is_bright_in_whole_clips():
    rng = np.random.default_rng(0)
    clip = rng.uniform(size=(64, 2, 4, 4, 3)).astype("float32")
    bright = np.where(clip < 0.5, clip, 1 - clip)
    np.testing.assert_allclose(
        to_numpy(augment.solarise(clip, seed(), probability=1.0)), bright
    )
    np.testing.assert_array_equal(
        to_numpy(augment.solarise(clip, seed(), probability=0.0)), clip
    )
    some = to_numpy(augment.solarise(clip, seed(), probability=0.2))
    changed = (some != clip).any((1, 2, 3, 4))
    assert 2 <= changed.sum() <= 30
    np.testing.assert_allclose(some[changed], bright[changed])


# --- known boxes ------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_known_boxes_in_a_view_are_where_they_were_in_the_frame(number):
    rng = np.random.default_rng(number)
    corner, far = np.sort(rng.uniform(0, 1, (2, 3, 2)), axis=0)
    crops = np.concatenate([corner * 0.6, 0.4 + far * 0.6], -1).astype("float32")
    flips = rng.random(3) < 0.5
    inside = to_numpy(draw_boxes(3, 4, seed(number), min_side=0.02))
    known = to_numpy(boxes_in_frame(inside, crops, flips))
    mask = rng.random((3, 4)) < 0.7
    boxes, seen = map(to_numpy, boxes_in_view(known, crops, flips, mask))
    np.testing.assert_array_equal(seen, mask)
    np.testing.assert_allclose(boxes[mask], inside[mask], atol=1e-4)
    assert not boxes[~mask].any()


def test_known_boxes_are_cut_and_left_out_where_little_is_seen():
    crop = np.array([[0.0, 0.0, 0.5, 0.5]], "float32")
    # All of it, a half, the least that counts, less than that, nothing.
    ends = [[0.1, 0.1, 0.3, 0.3], [0.0, 0.4, 0.2, 0.6], [0.3, 0.3, 0.7, 0.7]]
    ends += [[0.35, 0.35, 0.75, 0.75], [0.6, 0.6, 0.9, 0.9]]
    known, mask = np.array([ends], "float32"), np.ones((1, 5), bool)
    flips = np.array([False])
    boxes, seen = map(to_numpy, boxes_in_view(known, crop, flips, mask, 0.24))
    assert seen[0].tolist() == [True, True, True, False, False]
    expected = [[0.2, 0.2, 0.6, 0.6], [0, 0.8, 0.4, 0.999], [0.6, 0.6, 0.999, 0.999]]
    np.testing.assert_allclose(boxes[0, :3], expected, atol=1e-5)
    assert not boxes[0, 3:].any()
    mirrored = to_numpy(boxes_in_view(known, crop, np.array([True]), mask, 0.24)[0])
    np.testing.assert_allclose(mirrored[0, 0], [0.2, 0.4, 0.6, 0.8], atol=1e-5)
