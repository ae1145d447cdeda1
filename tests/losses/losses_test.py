import math

import numpy as np
from keras import ops

from keras_avrep.losses import (
    activation_alignment,
    cross_view_accuracy,
    in_batch_nce,
    multi_positive_nce,
    nt_xent,
)


def value(x):
    return float(ops.convert_to_numpy(x))


def test_nce_at_equal_similarities():
    query = np.tile([[1.0, 0.0]], (3, 1)).astype("float32")
    queue = np.tile([[1.0, 0.0]], (2048, 1)).astype("float32")
    valid = np.ones(2048, bool)
    positives = np.zeros((3, 2048), bool)
    positives[:, :5] = True
    one = multi_positive_nce(query, query, queue, valid)
    six = multi_positive_nce(query, query, queue, valid, positives)
    assert math.isclose(value(one), math.log(2049), abs_tol=1e-4)
    assert math.isclose(value(six), -math.log(6 / 2049), abs_tol=1e-4)


def test_nce_of_an_empty_queue_is_zero():
    query = np.array([[1.0, 0.0]], "float32")
    loss = multi_positive_nce(query, query, query, np.array([False]))
    assert value(loss) == 0.0


def test_nce_counts_the_extra_negative():
    query = np.array([[1.0, 0.0]], "float32")
    off = np.array([False])
    loss = multi_positive_nce(query, query, query, off, negatives=query)
    assert math.isclose(value(loss), math.log(2), abs_tol=1e-5)


def test_alignment_is_the_distance_to_the_mean_map():
    ones = np.ones((1, 2, 2, 2, 1), "float32")
    assert value(activation_alignment(ones, ones * 0, ones * 2)) == 0.0
    assert value(activation_alignment(ones, None, ones * 3)) == 4.0


def test_nt_xent_has_the_golden_value_of_the_note():
    first = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [4, 3, 2, 1], [8, 7, 6, 5]])
    second = first[[0, 2, 1, 3]]
    assert math.isclose(value(nt_xent(first, second)), 4.136947, abs_tol=1e-4)
    assert value(cross_view_accuracy(first, second)) == 0.5


def test_nt_xent_at_chance():
    same = np.ones((16, 4), "float32")
    assert math.isclose(value(nt_xent(same, same)), 2 * math.log(31), abs_tol=1e-4)


def test_in_batch_nce_at_chance_and_at_its_best():
    same = np.tile([[1.0, 0.0]], (8, 1)).astype("float32")
    assert math.isclose(value(in_batch_nce(same, same)), math.log(8), abs_tol=1e-4)
    unit = np.eye(4, dtype="float32")
    expected = math.log(1 + 3 * math.exp(-1 / 0.07))
    assert math.isclose(value(in_batch_nce(unit, unit)), expected, abs_tol=1e-5)
