import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.losses import (
    concept_fidelity,
    local_concept_contrast,
    negative_entropy,
    sinkhorn_codes,
    strongest_concepts,
    swapped_prediction,
)


def value(x):
    return float(ops.convert_to_numpy(x))


def cosines(rng, samples, concepts):
    return rng.uniform(-1, 1, (samples, concepts)).astype("float32")


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(2, 12), st.integers(0, 2**16))
def test_codes_sum_to_one_for_every_sample(samples, concepts, seed):
    scores = cosines(np.random.default_rng(seed), samples, concepts)
    codes = ops.convert_to_numpy(sinkhorn_codes(scores))
    np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-4)
    assert (codes >= 0).all()


def test_codes_use_every_concept_alike_where_an_argmax_would_use_one():
    rng = np.random.default_rng(0)
    scores = cosines(rng, 256, 8) * 0.1
    scores[:, 0] += 0.3
    assert (scores.argmax(axis=1) == 0).all()
    codes = ops.convert_to_numpy(sinkhorn_codes(scores, iterations=20))
    np.testing.assert_allclose(codes.mean(axis=0), 1 / 8, atol=0.01)


def test_codes_are_those_of_the_plain_algorithm():
    scores = cosines(np.random.default_rng(1), 6, 4)
    q = np.exp((scores.astype("float64") - scores.max()) / 0.05).T
    q /= q.sum()
    for _ in range(3):
        q /= q.sum(axis=1, keepdims=True) * 4
        q /= q.sum(axis=0, keepdims=True) * 6
    codes = ops.convert_to_numpy(sinkhorn_codes(scores))
    np.testing.assert_allclose(codes, (q * 6).T, atol=1e-4)


def test_samples_that_do_not_count_change_nothing_and_get_nothing():
    rng = np.random.default_rng(2)
    scores = cosines(rng, 6, 4)
    # As the released queue starts: values that dwarf cosines.
    junk = rng.normal(size=(5, 4)).astype("float32") * 9
    valid = np.array([True] * 6 + [False] * 5)
    codes = ops.convert_to_numpy(sinkhorn_codes(np.concatenate([scores, junk]), valid))
    expected = ops.convert_to_numpy(sinkhorn_codes(scores))
    np.testing.assert_allclose(codes[:6], expected, atol=1e-5)
    assert (codes[6:] == 0).all()


def test_agreement_and_entropy_at_even_logits():
    even = np.zeros((3, 100), "float32")
    codes = np.full((3, 100), 0.01, "float32")
    assert value(swapped_prediction(codes, even)) == pytest.approx(math.log(100))
    assert value(negative_entropy(even)) == pytest.approx(-math.log(100), abs=1e-4)
    sure = 100 * np.eye(3, 100, dtype="float32")
    assert value(negative_entropy(sure)) == pytest.approx(0, abs=1e-4)


def test_fidelity_is_a_negative_cosine_and_survives_zeros():
    x = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    assert value(concept_fidelity(x, 3 * x)) == pytest.approx(-1, abs=1e-5)
    assert value(concept_fidelity(x, -x)) == pytest.approx(1, abs=1e-5)
    assert value(concept_fidelity(x, 0 * x)) == 0


def test_nine_of_ten_concepts_are_strictly_above_the_tenth():
    logits = np.random.default_rng(0).permutation(200)[None].astype("float32")
    assert ops.convert_to_numpy(strongest_concepts(logits)).sum() == 9
    assert ops.convert_to_numpy(strongest_concepts(logits, None)).all()


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def test_local_contrast_of_hand_made_features():
    # Two videos, one concept, in two dimensions; the clips of a video agree.
    features = np.zeros((2, 2, 1, 2), "float32")
    features[0, :, 0, 0] = features[1, :, 0, 1] = 1
    logits = np.zeros((2, 2, 1), "float32")
    # Distance 0 to the pair; sqrt 2 to the other video is beyond the margin.
    total = 4 * (1e-5 + max(0.0, 1.4 - math.sqrt(2 + 1e-5)) ** 2)
    expected = total / (1 + 4)
    assert value(local_concept_contrast(features, logits, None)) == pytest.approx(
        expected, rel=1e-3
    )
    same = np.ones_like(features) / math.sqrt(2)
    distance = math.sqrt(1e-5)
    total = 4 * (1e-5 + (1.4 - distance) ** 2)
    assert value(local_concept_contrast(same, logits, None)) == pytest.approx(
        total / 5, rel=1e-3
    )


def test_only_concepts_strong_in_both_clips_count():
    rng = np.random.default_rng(0)
    features = unit(rng.normal(size=(3, 2, 4, 8)))
    logits = np.zeros((3, 2, 4), "float32")
    logits[:, 0] = [3, 2, 1, 0]
    logits[:, 1] = [0, 3, 2, 1]
    # With `top` 3, two are stronger than the third: 0 and 1, and 1 and 2.
    changed = features.copy()
    changed[:, :, [0, 2, 3]] = unit(rng.normal(size=(3, 2, 3, 8)))
    a = value(local_concept_contrast(features, logits, 3))
    b = value(local_concept_contrast(changed, logits, 3))
    assert a == pytest.approx(b, rel=1e-5)
    none = np.stack([logits[:, 0], -logits[:, 0]], axis=1)
    assert value(local_concept_contrast(features, none, 3)) == 0
