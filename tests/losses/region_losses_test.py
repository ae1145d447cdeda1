import itertools
import math

import keras
import numpy as np
import pytest
from golden_regions import FIRST, MASK, SECOND
from keras import ops

from keras_avrep.losses import (
    kernel_l2,
    kernels_of,
    match_most_overlapping,
    match_most_similar,
    match_same_index,
    region_nce,
)


def value(x):
    return float(ops.convert_to_numpy(x))


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize(
    ("temperature", "there", "back", "both"),
    [(0.1, 1.730746, 1.608881, 1.669813), (0.2, 1.723377, 1.610311, 1.666844)],
)
def test_golden_values_of_the_note(temperature, there, back, both, chunks):
    options = {"temperature": temperature, "chunks": chunks}
    forth = match_most_similar(FIRST, SECOND)
    reverse = match_most_similar(SECOND, FIRST)
    ab = value(region_nce(SECOND, SECOND, forth, MASK, **options))
    ba = value(region_nce(FIRST, FIRST, reverse, MASK, **options))
    assert ab == pytest.approx(there, abs=1e-4)
    assert ba == pytest.approx(back, abs=1e-4)
    assert (ab + ba) / 2 == pytest.approx(both, abs=1e-4)


def by_hand(query, target, matched, query_mask, target_mask, tau, same_video):
    """The formula of the note, term by term."""
    query, target = (
        x / np.linalg.norm(x, axis=-1, keepdims=True)
        for x in (query.astype("float64"), target.astype("float64"))
    )
    losses = []
    for i, n in zip(*np.nonzero(query_mask), strict=True):
        positive = np.exp(query[i, n] @ target[i, matched[i, n]] / tau)
        total = positive
        for j, m in itertools.product(range(len(target)), range(target.shape[1])):
            if not target_mask[j, m] or (j == i and m == matched[i, n]):
                continue
            if j != i or same_video:
                total += np.exp(query[i, n] @ target[j, m] / tau)
        losses.append(-np.log(positive / total))
    return np.mean(losses)


@pytest.mark.parametrize("same_video", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("chunks", [1, 2, 7])
def test_value_is_the_formula_in_any_chunks(same_video, masked, chunks):
    query, target = draw(5, 3, 6), draw(5, 4, 6, seed=1)
    query_mask = np.random.default_rng(2).random((5, 3)) < 0.7
    target_mask = np.random.default_rng(3).random((5, 4)) < 0.6
    matched = np.random.default_rng(4).integers(0, 4, (5, 3)).astype("int32")
    loss = region_nce(
        query,
        target,
        matched,
        query_mask,
        target_mask if masked else None,
        0.3,
        same_video,
        chunks,
    )
    counted = target_mask if masked else np.ones((5, 4), bool)
    expected = by_hand(query, target, matched, query_mask, counted, 0.3, same_video)
    assert value(loss) == pytest.approx(expected, abs=1e-5)


def test_chance_of_a_large_batch():
    same = np.ones((64, 8, 4), "float32")
    matched = np.zeros((64, 8), "int32")
    loss = region_nce(same, same, matched, chunks=4)
    assert value(loss) == pytest.approx(math.log(1 + 8 * 63), abs=1e-4)


def test_no_region_at_all_is_no_loss():
    query = draw(2, 3, 4)
    matched, nothing = np.zeros((2, 3), "int32"), np.zeros((2, 3), bool)
    assert value(region_nce(query, query, matched, nothing, nothing)) == 0.0


def test_similar_regions_are_found_among_those_allowed():
    target = draw(2, 4, 6)
    order = np.array([[2, 0, 3], [1, 1, 0]])
    source = 3 * np.take_along_axis(target, order[..., None], axis=1)
    found = ops.convert_to_numpy(match_most_similar(source, target))
    np.testing.assert_array_equal(found, order)
    allowed = np.ones((2, 4), bool)
    allowed[0, 2] = False
    found = ops.convert_to_numpy(match_most_similar(source, target, allowed))
    assert found[0, 0] != 2
    np.testing.assert_array_equal(found[:, 1:], order[:, 1:])


def test_matching_by_index_needs_equal_numbers():
    found = match_same_index(draw(2, 3, 4), draw(2, 3, 4))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[0, 1, 2]] * 2)
    with pytest.raises(ValueError, match="index"):
        match_same_index(draw(2, 3, 4), draw(2, 4, 4))


def test_overlapping_boxes_are_found():
    first = np.array([[[0, 0, 0.4, 0.4], [0.6, 0.6, 1, 1], [0, 0.9, 0.1, 1]]])
    second = np.array([[[0.5, 0.5, 0.9, 0.9], [0.1, 0.1, 0.4, 0.4], [0, 0, 1, 1]]])
    found, any_overlap = match_most_overlapping(
        first.astype("float32"), second[:, :2].astype("float32")
    )
    assert ops.convert_to_numpy(found)[0, :2].tolist() == [1, 0]
    assert ops.convert_to_numpy(any_overlap).tolist() == [[True, True, False]]
    found, any_overlap = match_most_overlapping(
        first.astype("float32"),
        second.astype("float32"),
        np.array([[False, False, True]]),
    )
    assert ops.convert_to_numpy(found).tolist() == [[2, 2, 2]]
    assert ops.convert_to_numpy(any_overlap).all()


def test_kernels_are_known_by_their_role():
    inputs = keras.Input((3,))
    x = keras.layers.Dense(2, kernel_initializer="ones", name="first")(inputs)
    x = keras.layers.BatchNormalization(name="kernel_of_nothing")(x)
    frozen = keras.layers.Dense(2, name="frozen", trainable=False)
    shared = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])
    model = keras.Model(inputs, shared(frozen(x)) + shared(x))
    assert [tuple(k.shape) for k in kernels_of(model)] == [(3, 2), (2, 1)]
    assert value(kernel_l2(model)) == (6 + 2) / 2
