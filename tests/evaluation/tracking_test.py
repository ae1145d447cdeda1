import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from keras_avrep.evaluation import one_pass_evaluation

BOX = [10.0, 20.0, 40.0, 30.0]


def moved(count, **shifts):
    """`count` boxes, that of frame i shifted by (right, down) pixels."""
    boxes = np.tile(BOX, (count, 1))
    for frame, shift in shifts.items():
        boxes[int(frame[1:]), :2] += shift
    return boxes


def test_perfect_tracking_scores_20_of_21():
    result = one_pass_evaluation({"a": moved(5)}, {"a": moved(5)})
    assert result["success"] == pytest.approx(20 / 21)
    assert result["precision"] == 1.0
    assert result["success_curve"][-1] == 0
    assert result["precision_curve"].shape == (51,)


def test_curves_by_hand():
    # Frame 1: 12 right and 16 down, 20 px exactly, overlap 28 * 14 / (2400 - 392).
    # Frame 2: 40 right, touching, so no overlap at all.
    predicted = {"a": moved(4, f1=(12, 16), f2=(40, 0))}
    result = one_pass_evaluation(predicted, {"a": moved(4)})
    curve = result["precision_curve"]
    assert (curve[19], curve[20], curve[39], curve[40]) == (0.5, 0.75, 0.75, 1.0)
    assert result["precision"] == 0.75
    curve = result["success_curve"]  # the overlap of frame 1 is 0.195
    assert list(curve[:5]) == [0.75, 0.75, 0.75, 0.75, 0.5]
    assert result["success"] == pytest.approx((4 * 0.75 + 16 * 0.5) / 21)


def test_success_is_strict_and_precision_is_not():
    # Two halves of one box overlap it by exactly one half.
    predicted = {"a": np.array([BOX, [10.0, 20.0, 20.0, 30.0]])}
    curve = one_pass_evaluation(predicted, {"a": moved(2)})["success_curve"]
    assert (curve[9], curve[10]) == (1.0, 0.5)


def test_centres_are_those_of_pixels():
    # Left-top plus (size - 1) / 2: a box 4 wider has its centre 2 further right.
    predicted = {"a": np.array([BOX, [10.0, 20.0, 44.0, 30.0]])}
    curve = one_pass_evaluation(predicted, {"a": moved(2)})["precision_curve"]
    assert (curve[1], curve[2]) == (0.5, 1.0)


def test_sequences_count_alike_whatever_their_length():
    truth = {"long": moved(9), "short": moved(2)}
    predicted = {"long": moved(9), "short": moved(2, f1=(500, 0))}
    result = one_pass_evaluation(predicted, truth)
    assert result["precision"] == 0.75
    assert result["sequences"]["short"] == {
        "precision": 0.5,
        "success": pytest.approx(10 / 21),
    }


def test_the_first_box_is_given_and_unknown_boxes_are_passed_over():
    truth, predicted = moved(4), moved(4, f0=(500, 0))
    truth[2] = np.nan
    predicted[2:] = np.nan
    result = one_pass_evaluation({"a": predicted}, {"a": truth})
    assert result["precision"] == pytest.approx(2 / 3)
    assert np.isfinite(truth[0]).all() and predicted[0, 0] == 510


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="`truth` is empty"):
        one_pass_evaluation({}, {})
    with pytest.raises(ValueError, match="lacks the sequence 'a'"):
        one_pass_evaluation({}, {"a": moved(2)})
    with pytest.raises(ValueError, match="3 frames and 2 predicted"):
        one_pass_evaluation({"a": moved(2)}, {"a": moved(3)})
    with pytest.raises(ValueError, match="no frame with a true box"):
        one_pass_evaluation({"a": moved(2)}, {"a": moved(2) * np.nan})


BOXES = arrays(
    float, st.tuples(st.integers(2, 5), st.just(4)), elements=st.integers(1, 60)
)


@given(st.lists(BOXES, min_size=1, max_size=3), st.randoms())
def test_curves_fall_and_order_does_not_matter(sequences, random):
    truth = {f"s{i}": boxes for i, boxes in enumerate(sequences)}
    predicted = {
        name: boxes[np.random.default_rng(0).permutation(len(boxes))]
        for name, boxes in truth.items()
    }
    result = one_pass_evaluation(predicted, truth)
    assert 0 <= result["success"] <= 20 / 21
    assert 0 <= result["precision"] <= 1
    assert (np.diff(result["success_curve"]) <= 1e-12).all()
    assert (np.diff(result["precision_curve"]) >= -1e-12).all()
    names = list(truth)
    random.shuffle(names)
    again = one_pass_evaluation(predicted, {name: truth[name] for name in names})
    assert again["success"] == pytest.approx(result["success"])
    # The order of frames after the first is no part of it either.
    turned = {n: np.concatenate([b[:1], b[:0:-1]]) for n, b in predicted.items()}
    true = {n: np.concatenate([b[:1], b[:0:-1]]) for n, b in truth.items()}
    again = one_pass_evaluation(turned, true)
    assert again["precision"] == pytest.approx(result["precision"])
    assert one_pass_evaluation(truth, truth)["success"] == pytest.approx(20 / 21)
