import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import detection_average_precision, temporal_iou


def segments(*rows):
    """Rows of start, end, score and, if not `a`, label."""
    return [
        {"label": (*row, "a")[3], "segment": [row[0], row[1]], "score": row[2]}
        for row in rows
    ]


def true(*rows):
    return segments(*((*row[:2], 0.0, *row[2:]) for row in rows))


def test_overlaps_by_hand():
    overlaps = temporal_iou([0, 4], [[0, 4], [2, 6], [4, 8], [5, 9], [1, 3]])
    np.testing.assert_allclose(overlaps, [1, 1 / 3, 0, 0, 0.5])
    assert temporal_iou([1, 1], [[1, 1]]) == [0]


def test_average_over_ten_thresholds():
    # Overlaps by 0.75: right at 0.5 to 0.75, six of ten.
    result = detection_average_precision(
        {"v": segments((0, 3, 0.9))}, {"v": true((0, 4))}
    )
    assert result["mean_average_precision"] == [1.0] * 6 + [0.0] * 4
    assert result["average"] == pytest.approx(0.6)


def test_a_taken_segment_leaves_the_next_best():
    # Both overlap the first most; the second detection goes on to the other one,
    # which AVA's measure would not allow.
    truth = {"v": true((0, 10), (0, 7))}
    predicted = {"v": segments((0, 10, 0.9), (0, 9, 0.8))}
    result = detection_average_precision(predicted, truth, thresholds=(0.5,))
    assert result["average"] == 1.0
    result = detection_average_precision(predicted, truth, thresholds=(0.8,))
    assert result["average"] == 0.5


def test_what_is_taken_at_one_threshold_is_free_at_another():
    truth = {"v": true((0, 10))}
    predicted = {"v": segments((0, 6, 0.9), (0, 10, 0.8))}
    result = detection_average_precision(predicted, truth, thresholds=(0.5, 0.9))
    # At 0.5 the first takes it; at 0.9 the first is wrong and the second right.
    assert result["mean_average_precision"] == [1.0, 0.5]


def test_ranking_goes_over_all_videos():
    truth = {"v": true((0, 4)), "w": true((0, 4))}
    predicted = {"v": segments((0, 4, 0.3)), "w": segments((8, 9, 0.9), (0, 4, 0.5))}
    result = detection_average_precision(predicted, truth, thresholds=(0.5,))
    # Wrong, right, right: the envelope is 2/3 throughout.
    assert result["average"] == pytest.approx(2 / 3)


def test_other_videos_and_classes():
    truth = {"v": true((0, 4), (0, 4, "b"), (5, 9, "c"))}
    predicted = {
        "v": segments((0, 4, 0.5), (0, 4, 0.9, "x"), (5, 9, 0.9, "c")),
        "elsewhere": segments((0, 4, 0.9)),
    }
    result = detection_average_precision(predicted, truth, thresholds=(0.5,))
    # Class a: a wrong one in another video first; b is never predicted; x is not
    # to be found.
    assert result["average_precision"] == {"a": [0.5], "b": [0.0], "c": [1.0]}
    assert result["average"] == 0.5


def test_nothing_to_find_is_no_number_and_bad_entries_are_named():
    assert np.isnan(detection_average_precision({}, {"v": []})["average"])
    with pytest.raises(ValueError, match="`truth` has in 'v' the entry"):
        detection_average_precision({}, {"v": [{"label": "a", "segment": [1]}]})
    with pytest.raises(ValueError, match="`predicted` has in 'v' the entry"):
        detection_average_precision({"v": segments((0, 1, np.nan))}, {})


ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 6), st.sampled_from("ab")), max_size=4
)


@given(st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=3), st.randoms())
def test_ranges_order_and_perfection(videos, random):
    truth = {
        i: true(*((s, s + n, label) for s, n, label in rows))
        for i, (rows, _) in enumerate(videos)
    }
    places = [(i, row) for i, (_, rows) in enumerate(videos) for row in rows]
    predicted = {i: [] for i in truth}
    for rank, (i, (start, length, label)) in enumerate(places):
        predicted[i] += segments((start, start + length, rank / 7, label))
    result = detection_average_precision(predicted, truth)
    for values in result["average_precision"].values():
        assert all(0 <= v <= 1 for v in values)
    turned = {i: list(reversed(predicted[i])) for i in reversed(predicted)}
    np.testing.assert_equal(detection_average_precision(turned, truth), result)
    perfect = {
        i: [{**entry, "score": random.random()} for entry in entries]
        for i, entries in truth.items()
    }
    result = detection_average_precision(perfect, truth)
    for values in result["average_precision"].values():
        assert values == [1.0] * 10
