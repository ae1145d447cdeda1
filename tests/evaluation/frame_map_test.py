import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import frame_mean_average_precision
from keras_avrep.evaluation.average_precision import enveloped_average_precision

LEFT, RIGHT = [0.0, 0.0, 1.0, 0.5], [0.0, 0.5, 1.0, 1.0]
# Overlaps both, LEFT by 0.4 / 0.6 and RIGHT by 0.1 / 0.9.
MOSTLY_LEFT = [0.0, 0.1, 1.0, 0.6]


def entry(*rows):
    """Rows of box, label and, for detections, score."""
    result = {"boxes": [r[0] for r in rows], "labels": [r[1] for r in rows]}
    if rows and len(rows[0]) == 3:
        result["scores"] = [r[2] for r in rows]
    return result


def score(detections, truth, **kwargs):
    return frame_mean_average_precision(detections, truth, **kwargs)


def test_a_second_detection_of_a_person_is_wrong():
    truth = {0: entry((LEFT, 1), (RIGHT, 1))}
    found = {0: entry((MOSTLY_LEFT, 1, 0.8), (LEFT, 1, 0.9), (RIGHT, 1, 0.7))}
    # Right, wrong, right: precisions 1 and 2/3 at the two recall steps.
    result = score(found, truth)
    assert result["mean_average_precision"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_detection_looks_only_at_its_best_box():
    wide = [0.0, 0.0, 1.0, 0.9]
    truth = {0: entry((LEFT, 1), (wide, 1))}
    # Both overlap `wide` most, and reach 0.5 with LEFT as well.
    found = {0: entry(([0.0, 0.0, 1.0, 0.85], 1, 0.9), ([0.0, 0.0, 1.0, 0.8], 1, 0.8))}
    assert score(found, truth)["average_precision"] == {1: 0.5}


def test_of_equal_overlaps_the_first_true_box_is_taken():
    truth = {0: entry((LEFT, 1), (LEFT, 1))}
    found = {0: entry((LEFT, 1, 0.9), (LEFT, 1, 0.8))}
    assert score(found, truth)["average_precision"] == {1: 0.5}


def test_detections_are_sorted_inside_a_frame():
    # Out of order, the worse detection would take the box first.
    truth = {0: entry((LEFT, 1))}
    found = {0: entry((LEFT, 1, 0.2), (LEFT, 1, 0.9))}
    assert score(found, truth)["average_precision"] == {1: 1.0}


def test_precision_is_made_monotone():
    truth = {i: entry((LEFT, 1)) for i in range(3)}
    found = {
        0: entry((LEFT, 1, 0.5)),
        1: entry((RIGHT, 1, 0.9), (LEFT, 1, 0.4)),
        2: entry((LEFT, 1, 0.3)),
    }
    # Precisions 0, 1/2, 2/3, 3/4: the best at or after each step is 3/4.
    assert score(found, truth)["average_precision"] == {1: 0.75}
    assert enveloped_average_precision([True, False, True], 2) == pytest.approx(5 / 6)


def test_each_class_is_matched_by_itself_and_only_known_ones_are_averaged():
    truth = {0: entry((LEFT, 1), (LEFT, 2), (RIGHT, 9))}
    found = {0: entry((LEFT, 1, 0.9), (LEFT, 3, 0.8), (RIGHT, 9, 0.7))}
    result = score(found, truth, classes=[1, 2, 3])
    precisions = result["average_precision"]
    assert (precisions[1], precisions[2]) == (1.0, 0.0)
    assert np.isnan(precisions[3]) and set(precisions) == {1, 2, 3}
    assert result["mean_average_precision"] == 0.5


def test_frames_without_a_true_box_count_unless_they_are_skipped():
    truth = {0: entry((LEFT, 1)), 1: entry(), 2: entry((RIGHT, 7))}
    found = {0: entry((LEFT, 1, 0.6))}
    for frame in (1, 2, 3):
        found[frame] = entry((LEFT, 1, 0.9))
    strict = score(found, truth, classes=[1])
    assert strict["mean_average_precision"] == 0.25
    skipping = score(found, truth, classes=[1], skip_empty_frames=True)
    assert skipping["mean_average_precision"] == 1.0


def test_a_frame_with_another_true_class_is_not_skipped():
    truth = {0: entry((LEFT, 1)), 1: entry((LEFT, 2))}
    found = {0: entry((LEFT, 1, 0.6)), 1: entry((LEFT, 1, 0.9))}
    result = score(found, truth, skip_empty_frames=True)
    assert result["average_precision"][1] == 0.5


def test_the_threshold_is_reached_by_equality():
    truth = {0: entry(([0.0, 0.0, 1.0, 1.0], 1))}
    half = {0: entry((LEFT, 1, 0.9))}
    assert score(half, truth)["mean_average_precision"] == 1.0
    assert score(half, truth, threshold=0.51)["mean_average_precision"] == 0.0


def test_nothing_to_find_is_no_number():
    assert np.isnan(score({}, {})["mean_average_precision"])
    assert score({}, {0: entry((LEFT, 1))})["mean_average_precision"] == 0.0


def test_wrong_entries_name_their_frame():
    truth = {("v", 902): {"boxes": [LEFT], "labels": [1, 2]}}
    with pytest.raises(ValueError, match=r"\('v', 902\) has 1 boxes, 2 labels"):
        score({}, truth)
    with pytest.raises(ValueError, match="no number"):
        score({0: entry((LEFT, 1, np.nan))}, {})


@st.composite
def scenes(draw):
    """Truth and detections with distinct scores, on a coarse grid of boxes."""
    corner = st.integers(0, 3)

    def box():
        y, x, h, w = (draw(corner) for _ in range(4))
        return [y, x, y + h + 1, x + w + 1]

    truth, found, count = {}, {}, 0
    for frame in range(draw(st.integers(1, 3))):
        labels = draw(st.lists(st.integers(0, 2), max_size=4))
        truth[frame] = entry(*((box(), label) for label in labels))
        labels = draw(st.lists(st.integers(0, 2), max_size=4))
        found[frame] = entry(*((box(), label, 0.0) for label in labels))
        found[frame].setdefault("scores", [])
        count += len(labels)
    ranks = iter(draw(st.permutations(range(count))))
    for values in found.values():
        values["scores"] = [next(ranks) / 10 for _ in values["scores"]]
    return truth, found


@given(scenes(), st.randoms())
def test_order_of_frames_and_boxes_does_not_matter(scene, random):
    truth, found = scene
    before = score(found, truth)
    after = score(shuffled(found, random), truth)
    np.testing.assert_equal(after, before)
    values = [v for v in before["average_precision"].values() if not np.isnan(v)]
    assert all(0 <= v <= 1 for v in values)


@given(scenes(), st.randoms())
def test_distinct_true_boxes_found_again_are_perfect(scene, random):
    truth, _ = scene
    for values in truth.values():
        rows = {
            (tuple(b), v)
            for b, v in zip(values["boxes"], values["labels"], strict=True)
        }
        values.update(entry(*sorted(rows)))
    found = {
        frame: {**v, "scores": [random.random() for _ in v["labels"]]}
        for frame, v in truth.items()
    }
    result = score(found, truth)
    assert set(result["average_precision"].values()) <= {1.0}


def shuffled(found, random):
    frames = list(found)
    random.shuffle(frames)
    result = {}
    for frame in frames:
        order = list(range(len(found[frame]["labels"])))
        random.shuffle(order)
        result[frame] = {k: [v[i] for i in order] for k, v in found[frame].items()}
    return result
