import math

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.losses import (
    in_batch_multi_positive_nce,
    masked_log_sum_exp,
    soft_region_contrast,
    timestamp_retrieval,
)


def value(x):
    return float(ops.convert_to_numpy(x))


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def test_rows_where_nothing_counts_are_zero_and_have_no_gradient():
    logits = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")
    mask = np.array([[True, False, True], [False, False, False]])
    found = ops.convert_to_numpy(masked_log_sum_exp(logits, mask))
    np.testing.assert_allclose(found, [math.log(math.exp(1) + math.exp(3)), 0], 1e-5)
    slope = gradient(lambda x: ops.sum(masked_log_sum_exp(x, mask)), logits)
    share = 1 / (1 + math.exp(2))
    np.testing.assert_allclose(slope, [[share, 0, 1 - share], [0, 0, 0]], atol=1e-6)


def test_a_log_sum_exp_of_no_number_is_none():
    # A run that diverged must not look like one that has learned it all.
    logits = np.array([[1.0, np.nan], [np.nan, 1.0], [np.nan, 0.0]], "float32")
    mask = np.array([[True, True], [True, False], [False, True]])
    found = ops.convert_to_numpy(masked_log_sum_exp(logits, mask))
    assert np.isnan(found).tolist() == [True, True, False]
    assert np.isnan(ops.convert_to_numpy(masked_log_sum_exp(logits))).all()


def test_many_positives_at_equal_similarities():
    same = np.tile([[1.0, 0.0]], (12, 1)).astype("float32")
    video = np.arange(12) // 4
    positives = (video[:, None] == video) & ~np.eye(12, dtype=bool)
    negatives = video[:, None] != video
    loss = in_batch_multi_positive_nce(same, positives, negatives)
    assert math.isclose(value(loss), math.log(11 / 3), abs_tol=1e-5)


def test_contrast_of_equal_regions_is_the_log_of_the_candidates():
    same = np.tile([1.0, 0.0], (4, 6, 1)).astype("float32")
    weights = np.random.default_rng(0).uniform(size=(4, 6, 6))
    share = np.ones((4, 6))
    loss = soft_region_contrast(same, same, weights, share)
    assert math.isclose(value(loss), math.log(24), abs_tol=1e-5)
    own = soft_region_contrast(same, same, weights, share, other_samples=False)
    assert math.isclose(value(own), math.log(6), abs_tol=1e-5)


@pytest.mark.parametrize("ignore", [False, True])
def test_chunks_change_neither_value_nor_gradient(ignore):
    rng = np.random.default_rng(1)
    query, key = unit(rng, 4, 3, 5), unit(rng, 4, 2, 5)
    weights = rng.uniform(size=(4, 3, 2)) * (rng.uniform(size=(4, 3, 2)) > 0.4)
    weights = weights.astype("float32")
    share = np.ones((4, 3), "float32")

    def loss(query, chunks):
        return soft_region_contrast(
            query,
            key,
            weights,
            share,
            ignore_same_sample_negatives=ignore,
            chunks=chunks,
        )

    for chunks in (2, 4):
        assert math.isclose(
            value(loss(query, chunks)), value(loss(query, 1)), rel_tol=1e-5
        )
        np.testing.assert_allclose(
            gradient(lambda x, n=chunks: loss(x, n), query),
            gradient(lambda x: loss(x, 1), query),
            atol=1e-5,
        )


def test_contrast_by_hand():
    rng = np.random.default_rng(0)
    query, key = unit(rng, 3, 4, 5), unit(rng, 3, 2, 5)
    weights = rng.uniform(size=(3, 4, 2)) * (rng.uniform(size=(3, 4, 2)) > 0.4)
    share = weights.sum(-1) / 2
    for ignore in (False, True):
        total = 0.0
        for b, q in np.ndindex(3, 4):
            logits = key.reshape(6, 5) @ query[b, q] / 0.2
            own = np.arange(2) + 2 * b
            kept = np.ones(6, bool)
            if ignore:
                kept[own] = weights[b, q] > 0
            if share[b, q] > 0:
                target = weights[b, q] / weights[b, q].sum()
                everything = np.log(np.exp(logits[kept]).sum())
                total += share[b, q] * (target * (everything - logits[own])).sum()
        loss = soft_region_contrast(
            query, key, weights, share, 0.2, ignore_same_sample_negatives=ignore
        )
        assert math.isclose(value(loss), total / share.sum(), abs_tol=1e-4)


@pytest.mark.parametrize("chunks", [1, 3])
def test_some_negatives_by_hand(chunks):
    rng = np.random.default_rng(2)
    query, key = unit(rng, 3, 4, 5), unit(rng, 3, 6, 5)
    weights = rng.uniform(size=(3, 4, 6))
    some = key[:, [1, 4]]
    total = 0.0
    for b, q in np.ndindex(3, 4):
        own = key[b] @ query[b, q] / 0.2
        others = np.delete(some, b, axis=0).reshape(-1, 5) @ query[b, q] / 0.2
        everything = np.log(np.exp(np.concatenate([own, others])).sum())
        total += (weights[b, q] / weights[b, q].sum() * (everything - own)).sum()
    loss = soft_region_contrast(
        query, key, weights, np.ones((3, 4)), 0.2, chunks=chunks, negatives=some
    )
    assert math.isclose(value(loss), total / 12, abs_tol=1e-4)


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_queries_without_a_share_have_neither_loss_nor_gradient(ignore, others):
    rng = np.random.default_rng(0)
    query, key = unit(rng, 2, 3, 4), unit(rng, 2, 3, 4)
    weights = rng.uniform(0.1, 1, size=(2, 3, 3)).astype("float32")
    weights[0] = 0.0
    share = weights.sum(-1)

    def loss(x, w=weights, s=share):
        return soft_region_contrast(x, key, w, s, 0.2, others, ignore)

    slope = gradient(loss, query)
    assert np.isfinite(slope).all()
    assert (slope[0] == 0).all()
    assert (slope[1] != 0).any()
    assert value(loss(query, weights * 0, share * 0)) == 0.0
    changed = query.copy()
    changed[0] = unit(rng, 3, 4)
    assert math.isclose(value(loss(changed)), value(loss(query)), abs_tol=1e-6)


def test_timestamps_at_chance_and_at_their_best():
    same = np.tile([1.0, 0.0], (3, 4, 1)).astype("float32")
    eye, ones = np.tile(np.eye(4), (3, 1, 1)), np.ones((3, 4))
    loss = timestamp_retrieval(same, same, eye, ones, eye, ones)
    assert math.isclose(value(loss), math.log(4), abs_tol=1e-5)
    apart = np.tile(np.eye(4, dtype="float32"), (3, 1, 1))
    best = timestamp_retrieval(apart, apart, eye, ones, eye, ones)
    assert math.isclose(
        value(best), math.log(1 + 3 * math.exp(-1 / 0.07)), abs_tol=1e-5
    )
