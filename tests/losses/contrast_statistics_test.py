import keras
import numpy as np
import pytest

from keras_avrep.losses import (
    chunks_of_batch,
    cross_view_entropy,
    embedding_std,
    match_same_index,
    matched_entropy,
    region_similarities,
    soft_region_contrast,
    soft_region_floor,
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


def test_entropy_of_other_views_is_that_of_a_softmax():
    first, second = draw(5, 8), draw(5, 8)[::-1] + 0.5
    found = value(cross_view_entropy(first, second, 0.2))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second)]
    odds = np.exp(unit[0] @ unit[1].T / 0.2)
    shares = odds / odds.sum(axis=1, keepdims=True)
    expected = -(shares * np.log(shares)).sum(axis=1).mean() / np.log(5)
    assert found == pytest.approx(expected, abs=1e-5)
    assert value(cross_view_entropy(first[:1], first[:1], 0.2)) == 0
    alike = np.ones((4, 8), "float32")
    assert value(cross_view_entropy(alike, alike, 0.1)) == pytest.approx(1)


def test_positives_are_spread_evenly_or_not():
    assert value(matched_entropy(np.array([[0, 1, 2, 3]]), 4)) == pytest.approx(1)
    assert value(matched_entropy(np.array([[2, 2, 2, 2]]), 4)) == pytest.approx(0)
    # Of two videos, half of the regions each, one by one.
    mixed = np.array([[0, 0, 1, 1], [3, 3, 3, 3]])
    assert value(matched_entropy(mixed, 4)) == pytest.approx(0.25)


def test_the_floor_of_soft_regions_is_the_entropy_of_their_targets():
    weights = np.array([[[1, 1, 0], [3, 0, 0], [2, 1, 1]]], "float32")
    share = np.array([[1, 1, 2]], "float32")
    entropies = [np.log(2), 0, -(0.5 * np.log(0.5) + 0.5 * np.log(0.25))]
    expected = (entropies[0] + entropies[1] + 2 * entropies[2]) / 4
    assert value(soft_region_floor(weights, share)) == pytest.approx(expected)
    # Logits that are those of the targets reach it.
    target = np.maximum(weights / weights.sum(-1, keepdims=True), 1e-9)
    query, key = np.log(target), np.eye(3, dtype="float32")[None]
    options = {"temperature": 1.0, "other_samples": False}
    loss = soft_region_contrast(query, key, weights, share, **options)
    assert value(loss) == pytest.approx(expected, abs=1e-5)


def test_large_batches_are_cut_into_as_many_chunks_as_they_are_large():
    found = {n: chunks_of_batch(n) for n in (1, 64, 96, 128, 193, 200, 1024)}
    assert found == {1: 1, 64: 1, 96: 2, 128: 2, 193: 193, 200: 4, 1024: 16}


@pytest.mark.parametrize("chunks", [1, 3])
def test_padding_changes_no_similarity(chunks):
    query, target = draw(3, 2, 8), draw(3, 2, 8) + 0.5
    matched = match_same_index(query, target)
    padding = np.full((3, 6, 8), -9.0, "float32")
    padded = [np.concatenate([x, padding], axis=1) for x in (query, target)]
    real = np.arange(8) < np.array([2, 2, 2])[:, None]
    masks = {"counted": real, "target_mask": real}
    slots = np.tile(np.arange(8), (3, 1))
    found = region_similarities(*padded, slots, chunks, **masks)
    for name, expected in region_similarities(query, target, matched).items():
        assert value(found[name]) == pytest.approx(value(expected), abs=1e-6)
    spread = value(matched_entropy(slots, 8, real)) * np.log(8)
    assert spread == pytest.approx(np.log(2), abs=1e-5)
    # A video of nothing but padding says nothing, nor do all of them.
    real[0] = False
    assert value(matched_entropy(slots, 8, real)) * np.log(8) == pytest.approx(
        np.log(2), abs=1e-5
    )
    nothing = {name: np.zeros_like(real) for name in masks}
    found = region_similarities(*padded, slots, chunks, **nothing)
    assert all(value(x) == 0 for x in found.values())


@pytest.mark.parametrize("chunks", [1, 3])
def test_region_similarities_are_those_of_all_pairs(chunks):
    query, target = draw(3, 4, 8), draw(3, 4, 8) + 0.5
    matched = match_same_index(query, target)
    found = region_similarities(query, target, matched, chunks)
    q, t = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (query, target))
    cosines = np.einsum("iqd,jkd->iqjk", q, t)
    positive = [cosines[i, n, i, n] for i in range(3) for n in range(4)]
    others = [cosines[i, :, j] for i in range(3) for j in range(3) if i != j]
    expected = {
        f"{kind}_similarity{name}": measure(cosines)
        for kind, cosines in (("positive", positive), ("negative", others))
        for name, measure in (("", np.mean), ("_min", np.min), ("_max", np.max))
    }
    assert {name: value(x) for name, x in found.items()} == pytest.approx(
        expected, abs=1e-6
    )


def test_a_lone_video_has_no_negatives():
    one = draw(1, 2, 4)
    found = region_similarities(one, one, match_same_index(one, one))
    for name, x in found.items():
        assert value(x) == pytest.approx(float(name.startswith("positive")), abs=1e-5)


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
