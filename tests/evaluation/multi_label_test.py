import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import multi_hot, multi_label_average_precision


def test_precision_by_hand_without_interpolation():
    scores = np.array([[0.9], [0.8], [0.7], [0.6]])
    result = multi_label_average_precision(scores, [[0], [1], [1], [0]])
    # Precisions 1/2 and 2/3; made monotone they would both be 2/3.
    assert result["mean_average_precision"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_classes_without_positives_are_dropped():
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.3, 0.4]])
    result = multi_label_average_precision(scores, [[1, 0, 0], [1, 0, 1]])
    np.testing.assert_equal(result["average_precision"], [1.0, np.nan, 0.5])
    assert result["mean_average_precision"] == 0.75
    empty = multi_label_average_precision(scores, np.zeros((2, 3)))
    assert np.isnan(empty["mean_average_precision"])


def test_equal_scores_keep_their_order():
    same = np.zeros((2, 1))
    first = multi_label_average_precision(same, [[1], [0]])
    second = multi_label_average_precision(same, [[0], [1]])
    assert first["mean_average_precision"] == 1.0
    assert second["mean_average_precision"] == 0.5


def test_examples_without_labels_can_be_left_out():
    scores, labels = [[0.9, 0.9], [0.5, 0.1]], [[0, 0], [1, 0]]
    kept = multi_label_average_precision(scores, labels)
    dropped = multi_label_average_precision(scores, labels, drop_unlabelled=True)
    assert kept["mean_average_precision"] == 0.5
    assert dropped["mean_average_precision"] == 1.0


def test_labels_become_rows():
    rows = multi_hot([["b"], [], ["a", "c", "a"]], ["a", "b", "c"])
    assert rows.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]
    with pytest.raises(ValueError, match="`classes` lacks the label 'd'"):
        multi_hot([["d"]], ["a"])


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match=r"shape \(1, 2\) and `labels` \(2, 1\)"):
        multi_label_average_precision([[0.1, 0.2]], [[0], [1]])
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        multi_label_average_precision([[0.1]], [[2]])
    with pytest.raises(ValueError, match="no number"):
        multi_label_average_precision([[np.nan]], [[1]])


@st.composite
def rankings(draw):
    count = draw(st.integers(1, 8))
    columns = draw(st.integers(1, 3))
    scores = [draw(st.permutations(range(count))) for _ in range(columns)]
    bits = st.lists(st.integers(0, 1), min_size=count, max_size=count)
    labels = [draw(bits) for _ in range(columns)]
    return np.array(scores, float).T, np.array(labels).T


@given(rankings(), st.randoms())
def test_ranges_order_and_perfection(ranking, random):
    scores, labels = ranking
    result = multi_label_average_precision(scores, labels)
    known = result["average_precision"][labels.any(axis=0)]
    # Even the worst ranking has its positives at the end.
    assert ((known > 0) & (known <= 1)).all()
    order = list(range(len(scores)))
    random.shuffle(order)
    again = multi_label_average_precision(scores[order], labels[order])
    np.testing.assert_equal(again, result)
    # Only the order counts.
    bent = multi_label_average_precision(np.exp(scores / 3), labels)
    np.testing.assert_equal(bent, result)
    perfect = multi_label_average_precision(labels + scores / 100, labels)
    known = perfect["average_precision"][labels.any(axis=0)]
    np.testing.assert_array_equal(known, 1.0)
