import keras
import numpy as np
import pytest

from keras_avrep.losses import (
    embedding_std,
    match_same_index,
    region_similarities,
    step_accuracy,
    usage_perplexity,
)


def value(x):
    return float(keras.ops.convert_to_numpy(x))


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_spread_is_one_for_even_embeddings_and_zero_for_like_ones():
    assert value(embedding_std(draw(512, 16))) == pytest.approx(1, abs=0.02)
    # Length does not count.
    assert value(embedding_std(np.outer(np.arange(1, 5), draw(16)))) < 1e-5


def test_region_similarities_are_those_of_all_pairs():
    query, target = draw(3, 4, 8), draw(3, 4, 8) + 0.5
    matched = match_same_index(query, target)
    found = [value(x) for x in region_similarities(query, target, matched)]
    q, t = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (query, target))
    cosines = np.einsum("iqd,jkd->iqjk", q, t)
    positive = np.mean([cosines[i, n, i, n] for i in range(3) for n in range(4)])
    others = [cosines[i, :, j] for i in range(3) for j in range(3) if i != j]
    np.testing.assert_allclose(found, [positive, np.mean(others)], atol=1e-6)


def test_a_lone_video_has_no_negatives():
    one = draw(1, 2, 4)
    found = region_similarities(one, one, match_same_index(one, one))
    assert [value(x) for x in found] == pytest.approx([1, 0], abs=1e-5)


def test_step_accuracy_counts_the_steps_that_find_theirs():
    key = np.eye(4, dtype="float32")[None]
    query = key[:, [0, 1, 3]]
    targets = key[:, [0, 1, 2]]
    assert value(step_accuracy(query, key, targets)) == pytest.approx(2 / 3)


def test_perplexity_counts_the_concepts_in_use():
    logits = np.eye(6, dtype="float32")[[0, 0, 1, 1, 2, 2]]
    assert value(usage_perplexity(logits, 0.05)) == pytest.approx(3, abs=1e-3)
    assert value(usage_perplexity(logits[:2], 0.05)) == pytest.approx(1, abs=1e-3)
    assert value(usage_perplexity(0 * logits, 0.05)) == pytest.approx(6, abs=1e-3)
