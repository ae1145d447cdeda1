import math

import numpy as np
from keras import ops

from keras_avrep.losses import activation_alignment, multi_positive_nce


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
