import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from keras_avrep.evaluation import (
    class_aware_floors,
    class_aware_scores,
    localization_floors,
    localization_scores,
)
from keras_avrep.evaluation.localization import box_mask, map_overlap, resize_map
from keras_avrep.evaluation.localization_floors import average_mask, centred_square

LEFT, RIGHT = [0.0, 0.0, 1.0, 0.5], [0.0, 0.5, 1.0, 1.0]
QUARTER = [0.0, 0.0, 0.5, 0.5]


def box_map(box, side=8):
    """A map that is 1 in a box and 0 elsewhere."""
    return box_mask([box], side).astype(float)


# --- one source -----------------------------------------------------------------


def test_overlaps_by_hand():
    maps = [box_map(LEFT), box_map(LEFT), box_map(RIGHT), box_map(QUARTER)]
    boxes = [[LEFT], [QUARTER], [LEFT], [LEFT]]
    scores = localization_scores(maps, boxes, 0.5, grid=8)
    # All right; a half too much: 1/4 / (1/4 + 1/4); nothing; half of it.
    np.testing.assert_allclose(scores["overlaps"], [1, 0.5, 0, 0.5])
    assert scores["iou_at_50"] == 0.75
    # Shares: 1 at 0, then 3/4 up to 0.5, then 1/4.
    expected = np.trapezoid([1] + [0.75] * 10 + [0.25] * 10, dx=0.05)
    assert scores["auc"] == pytest.approx(expected)


def test_the_threshold_is_relative_and_what_is_at_it_does_not_count():
    one = np.array([[8.0, 4.0], [2.0, 0.8]])
    mask = np.array([[True, True], [False, False]])
    assert map_overlap(one, mask, 0.5) == 0.5  # 4 is not above 8 / 2
    assert map_overlap(one, mask, 0.49) == 1.0
    assert map_overlap(one, mask, 0.1) == pytest.approx(2 / 3)  # 0.8 is not above
    assert map_overlap(one * 1000, mask, 0.49) == 1.0
    assert map_overlap(np.zeros((2, 2)), mask, 0.1) == 0.0
    assert np.isnan(map_overlap(one, np.zeros((2, 2), bool), 0.1))


def test_boxes_unite_and_round_down():
    mask = box_mask([[0, 0, 0.5, 0.5], [0, 0.25, 0.5, 0.75]], 8)
    assert mask.sum() == 4 * 6
    assert box_mask([[0.1, 0.1, 0.99, 0.99]], 8).sum() == 7 * 7
    assert box_mask([[0.0, 0.0, 0.7 + 0.1, 1.0]], 10).sum() == 80
    assert box_mask([], 8).sum() == 0
    assert box_mask([[-1, -1, 2, 2]], 4).sum() == 16


def test_frames_without_a_box_are_passed_over():
    maps = [box_map(LEFT)] * 2
    scores = localization_scores(maps, [[LEFT], []], 0.5, grid=8)
    assert scores["iou_at_50"] == 1.0 and np.isnan(scores["overlaps"][1])
    assert np.isnan(localization_scores(maps, [[], []], 0.5, grid=8)["auc"])


def test_resizing_is_bilinear_between_centres():
    maps = np.random.default_rng(0).normal(size=(2, 5, 7))
    resized = resize_map(maps, 16)
    rows = (np.arange(16) + 0.5) * 5 / 16 - 0.5
    columns = (np.arange(16) + 0.5) * 7 / 16 - 0.5
    places = np.meshgrid(rows, columns, indexing="ij")
    for one, got in zip(maps, resized, strict=True):
        expected = map_coordinates(one, places, order=1, mode="nearest")
        np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_allclose(resize_map(maps[:, :, :5], 5), maps[:, :, :5])


unit = st.floats(0, 1)


@st.composite
def a_box(draw):
    y, x = sorted([draw(unit), draw(unit)]), sorted([draw(unit), draw(unit)])
    return [y[0], x[0], y[1], x[1]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(a_box(), max_size=3), min_size=1, max_size=4), st.data())
def test_measures_stay_in_their_range_and_the_truth_is_perfect(boxes, data):
    seed = data.draw(st.integers(0, 99))
    maps = np.random.default_rng(seed).normal(size=(len(boxes), 6, 6))
    scores = localization_scores(maps, boxes, 0.1, grid=12)
    perfect = [box_mask(b, 12) for b in boxes]
    best = localization_scores(perfect, boxes, 0.5, grid=12)
    known = ~np.isnan(scores["overlaps"])
    assert known.tolist() == [mask.any() for mask in perfect]
    if known.any():
        for value in (scores["iou_at_50"], scores["auc"], *scores["overlaps"][known]):
            assert 0 <= value <= 1
        assert best["iou_at_50"] == 1 and best["auc"] == pytest.approx(1)
        scaled = localization_scores(maps * 7, boxes, 0.1, grid=12)
        np.testing.assert_allclose(scaled["overlaps"], scores["overlaps"])


def test_wrong_inputs_are_named():
    maps = np.zeros((2, 4, 4))
    with pytest.raises(ValueError, match="2 frames and `boxes` 1"):
        localization_scores(maps, [[LEFT]])
    with pytest.raises(ValueError, match="3 axes"):
        localization_scores(maps[0], [[LEFT]])
    with pytest.raises(ValueError, match="no number"):
        localization_scores(maps * np.nan, [[LEFT]] * 2)
    with pytest.raises(ValueError, match=r"give \(M, 4\)"):
        localization_scores(maps, [[[0, 0, 1]]] * 2)
    four = np.zeros((1, 4, 4, 3))
    with pytest.raises(ValueError, match="1 boxes and 2 classes"):
        class_aware_scores(four, [[LEFT]], [[0, 1]])
    with pytest.raises(ValueError, match="there are 3 classes"):
        class_aware_scores(four, [[LEFT]], [[3]])
    with pytest.raises(ValueError, match="0 frames"):
        class_aware_scores(four, [[LEFT]], [])


# --- class-aware ----------------------------------------------------------------


def class_maps(*maps):
    return np.stack(maps, axis=-1)[None]


def test_class_aware_scores_by_hand():
    quiet, loud = np.full((8, 8), 0.2), np.full((8, 8), 0.3)
    maps = class_maps(box_map(LEFT), box_map(LEFT), quiet, loud)
    scores = class_aware_scores(maps, [[LEFT, RIGHT]], [[0, 1]], 0.5, grid=8)
    # Class 0 is right, class 1 is all wrong; 2 is silent at 0.2, 3 is not.
    assert scores["overlaps"] == [0.5]
    assert (scores["ciou_at_30"], scores["ciou_at_50"]) == (1.0, 1.0)
    assert scores["nsa"] == 0.5
    assert scores["auc"] == pytest.approx(np.trapezoid([1] * 11 + [0] * 10, dx=0.05))


def test_boxes_of_one_class_are_one_region():
    maps = class_maps(np.ones((8, 8)), np.zeros((8, 8)))
    scores = class_aware_scores(maps, [[LEFT, RIGHT]], [[0, 0]], 0.5, grid=8)
    assert scores["overlaps"] == [1.0] and scores["nsa"] == 1.0


def test_thresholds_of_share_and_silence_are_reached_by_equality():
    # Overlap 3 / 10 exactly, as a float too.
    one = np.zeros((10, 10))
    one[:3] = 1
    maps = class_maps(one, np.full((10, 10), 0.2))
    scores = class_aware_scores(maps, [[[0, 0, 1, 1]]], [[0]], 0.5, grid=10)
    assert scores["ciou_at_30"] == 1.0 and scores["nsa"] == 1.0


def test_silence_is_counted_over_classes_then_frames():
    half = box_map(LEFT)
    maps = np.concatenate(
        [
            class_maps(half, half, np.zeros((8, 8))),
            class_maps(half, half, np.ones((8, 8))),
        ]
    )
    scores = class_aware_scores(
        maps, [[LEFT], [LEFT, LEFT]], [[0], [0, 1]], 0.5, grid=8
    )
    np.testing.assert_allclose(scores["silent_areas"], [0.75, 0.0])
    assert scores["nsa"] == pytest.approx(0.375)
    only = class_aware_scores(
        maps, [[LEFT]] * 2, [[0]] * 2, 0.5, silent_ids=[[1], [2]], grid=8
    )
    np.testing.assert_allclose(only["silent_areas"], [0.5, 0.0])


def test_frames_without_boxes_count_for_neither_measure():
    maps = np.repeat(class_maps(box_map(LEFT), np.ones((8, 8))), 2, axis=0)
    scores = class_aware_scores(maps, [[LEFT], []], [[0], []], 0.5, grid=8)
    assert scores["nsa"] == 0.0 and np.isnan(scores["silent_areas"][1])
    everything = class_aware_scores(maps[:1], [[LEFT, LEFT]], [[0, 1]], 0.5, grid=8)
    assert np.isnan(everything["nsa"])


def test_renaming_the_classes_changes_nothing():
    rng = np.random.default_rng(3)
    maps = rng.uniform(size=(5, 6, 6, 4))
    boxes = [[LEFT, QUARTER], [RIGHT], [QUARTER], [], [LEFT]]
    ids = [[0, 3], [1], [2], [], [1]]
    order = rng.permutation(4)
    renamed = [[int(np.flatnonzero(order == i)[0]) for i in each] for each in ids]
    first = class_aware_scores(maps, boxes, ids, 0.5, grid=12)
    second = class_aware_scores(maps[..., order], boxes, renamed, 0.5, grid=12)
    for name in ("ciou_at_30", "ciou_at_50", "auc", "nsa"):
        assert first[name] == pytest.approx(second[name])


# --- floors ---------------------------------------------------------------------


def test_floors_by_hand():
    centre = [0.25, 0.25, 0.75, 0.75]
    floors = localization_floors([[centre]] * 3 + [[[0, 0, 1, 1]]], grid=20)
    assert floors["whole_image"]["iou_at_50"] == 0.25
    np.testing.assert_allclose(floors["whole_image"]["overlaps"], [0.25] * 3 + [1])
    # Sides up to 0.7 are right for three of four; 0.5 covers them exactly.
    assert floors["centred_square"]["iou_at_50"] == 0.75
    assert floors["centred_square"]["side"] == 0.5
    assert floors["average_mask"]["iou_at_50"] == 0.75
    assert set(floors["average_mask"]) >= {"cut", "auc"}


def test_the_average_mask_can_come_from_other_frames():
    np.testing.assert_allclose(
        average_mask([[LEFT], [LEFT], [[0, 0, 1, 1]], []], 4),
        np.array([[1, 1, 1 / 3, 1 / 3]] * 4),
    )
    own = localization_floors([[LEFT]] * 2, grid=8)
    other = localization_floors([[LEFT]] * 2, prior_boxes=[[RIGHT]], grid=8)
    assert own["average_mask"]["iou_at_50"] == 1.0
    assert other["average_mask"]["iou_at_50"] == 0.0
    with pytest.raises(ValueError, match="no box"):
        average_mask([[], []])
    assert centred_square(0.5, 8).sum() == 16


def test_a_softmax_that_tells_nothing_saturates_the_silence():
    boxes, ids = [[LEFT, RIGHT]] * 2, [[0, 1], [1, 2]]
    five = class_aware_floors(boxes, ids, 5, grid=8)
    assert five["whole_image"]["nsa"] == 1.0
    assert five["whole_image"]["ciou_at_30"] == 1.0
    assert class_aware_floors(boxes, ids, 4, grid=8)["whole_image"]["nsa"] == 0.0
