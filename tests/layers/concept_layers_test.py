import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.layers import (
    ConceptBank,
    ConceptCrossAttention,
    ConceptFilter,
    SinkhornAssignment,
)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


# --- the bank -----------------------------------------------------------------


@pytest.mark.parametrize("constraint", [None, "unit_norm"])
def test_logits_are_cosines_with_static_concepts_first(constraint):
    bank, x = ConceptBank(3, 2, constraint), draw((4, 8))
    logits, concepts = bank(x, return_concepts=True)
    rows = to_numpy(concepts)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(to_numpy(logits), unit(x) @ rows.T, atol=1e-5)
    assert to_numpy(logits)[:, bank.static_slice].shape == (4, 3)
    assert to_numpy(logits)[:, bank.dynamic_slice].shape == (4, 2)


def test_concepts_of_any_length_count_as_unit_ones_unless_constrained():
    x = draw((4, 8))
    for constraint, factor in ((None, 1.0), ("unit_norm", 5.0)):
        bank = ConceptBank(3, 2, constraint)
        before = to_numpy(bank(x))
        bank.concepts.assign(bank.concepts * 5.0)
        np.testing.assert_allclose(to_numpy(bank(x)), factor * before, atol=1e-5)


def test_the_constraint_keeps_rows_on_the_sphere_when_a_step_leaves_it():
    bank = ConceptBank(3, 2, "unit_norm")
    bank.build((None, 8))
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build([bank.concepts])
    optimizer.apply([ops.convert_to_tensor(draw((5, 8)))], [bank.concepts])
    norms = np.linalg.norm(to_numpy(bank.concepts), axis=-1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_an_unknown_constraint_is_refused():
    with pytest.raises(ValueError, match="constraint"):
        ConceptBank(constraint="none")


# --- balanced codes -----------------------------------------------------------


def sinkhorn_by_hand(scores, epsilon, iterations):
    """As the note has it, in double precision."""
    shares = np.exp((scores - scores.max()) / epsilon).T
    shares /= shares.sum()
    concepts, samples = shares.shape
    for _ in range(iterations):
        shares /= shares.sum(axis=1, keepdims=True) * concepts
        shares /= shares.sum(axis=0, keepdims=True) * samples
    return (shares / shares.sum(axis=0, keepdims=True)).T


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.floats(0.04, 0.5))
def test_codes_follow_the_note(seed, iterations, epsilon):
    scores = np.random.default_rng(seed).uniform(-1, 1, (12, 5))
    codes = SinkhornAssignment(epsilon, iterations)(scores.astype("float32"))
    expected = sinkhorn_by_hand(scores, epsilon, iterations)
    np.testing.assert_allclose(to_numpy(codes), expected, atol=1e-4)


def test_codes_balance_what_plain_softmax_does_not():
    scores = draw((64, 8)) * 0.3
    scores[:, 0] += 0.5
    codes = to_numpy(SinkhornAssignment(iterations=50)(scores))
    np.testing.assert_allclose(codes.mean(axis=0), 1 / 8, atol=2e-3)
    np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-5)


def test_codes_of_views_are_independent_of_each_other():
    scores = draw((2, 6, 3))
    layer = SinkhornAssignment()
    apart = np.stack([to_numpy(layer(x)) for x in scores])
    np.testing.assert_allclose(to_numpy(layer(scores)), apart, atol=1e-6)


def test_slots_that_are_not_filled_change_no_code():
    scores, noise = draw((6, 3)), 4 * draw((5, 3), seed=1)
    valid = np.arange(11) < 6
    layer = SinkhornAssignment()
    masked = layer(np.concatenate([scores, noise]), ops.convert_to_tensor(valid))
    np.testing.assert_allclose(to_numpy(masked)[:6], to_numpy(layer(scores)), atol=1e-6)


def test_random_slots_would_distort_codes_as_the_note_measured():
    rng = np.random.default_rng(0)
    concepts = unit(rng.normal(size=(100, 512)))
    cosines = unit(rng.normal(size=(64, 512))) @ concepts.T
    slots = rng.normal(size=(1024, 100))
    layer = SinkhornAssignment()
    alone = to_numpy(layer(cosines.astype("float32")))
    both = np.concatenate([cosines, slots]).astype("float32")
    distorted = to_numpy(layer(both))[:64]
    change = np.abs(alone - distorted).sum(axis=1).mean()
    assert change == pytest.approx(1.4, abs=0.15)


def test_extreme_scores_give_finite_codes():
    scores = np.array([[1e4, -1e4], [1e4, -1e4], [-1e4, 1e4]], "float32")
    assert np.isfinite(to_numpy(SinkhornAssignment()(scores))).all()


# --- cross-attention ----------------------------------------------------------


def test_attention_by_hand():
    features, concepts = draw((2, 2, 3, 3, 6)), unit(draw((4, 8), seed=1))
    layer = ConceptCrossAttention(hidden_dim=5, epsilon=1e-8)
    local, shares = map(to_numpy, layer(features, concepts))

    def norm(x):
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(
            x.var(-1, keepdims=True) + 1e-5
        )

    def kernel(name):
        return to_numpy(getattr(layer, name).kernel)

    places = norm(features.reshape(2, 18, 6))
    scores = (places @ kernel("key")) @ (norm(concepts) @ kernel("query")).T
    scores = np.exp(scores * 8**-0.5)
    expected = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(shares.reshape(2, 18, 4), expected, atol=1e-5)
    weights = expected / expected.sum(1, keepdims=True)
    u = np.einsum("bln,bld->bnd", weights, places @ kernel("value")) + concepts
    u = u + np.maximum(norm(u) @ kernel("hidden"), 0) @ kernel("residual")
    np.testing.assert_allclose(local, unit(u), atol=1e-5)


def test_a_concept_that_wins_no_place_still_has_a_feature():
    keras.utils.set_random_seed(0)
    layer = ConceptCrossAttention(hidden_dim=4)
    features, concepts = 1e3 * draw((1, 1, 2, 2, 6)), unit(draw((3, 8)))
    layer(features, concepts)
    layer.key.kernel.assign(layer.key.kernel * 1e3)
    local, shares = map(to_numpy, layer(features, concepts))
    assert (shares.sum(axis=(0, 1, 2, 3)) < 1e-20).any()
    assert np.isfinite(local).all()
    np.testing.assert_allclose(np.linalg.norm(local, axis=-1), 1, atol=1e-5)


def test_symbolic_shapes_are_the_real_ones():
    layer = ConceptCrossAttention(hidden_dim=4)
    video = keras.Input((None, None, None, 6))
    bank = ConceptBank(2, 1)
    logits, concepts = bank(ops.mean(video, axis=(1, 2, 3)), return_concepts=True)
    local, shares = layer(video, concepts)
    model = keras.Model(video, [logits, local, shares])
    found = model(draw((2, 2, 3, 3, 6)))
    for symbolic, real in zip((logits, local, shares), found, strict=True):
        assert len(symbolic.shape) == len(real.shape)
        for a, b in zip(symbolic.shape, real.shape, strict=True):
            assert a in (None, b)


# --- the filter ---------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 10), st.integers(10, 30), st.integers(0, 100))
def test_one_less_than_top_concepts_stay(top, count, seed):
    logits = np.random.default_rng(seed).permutation(count).astype("float32")[None]
    mask = to_numpy(ConceptFilter(top)(logits))
    np.testing.assert_array_equal(mask[0], logits[0] >= count - top + 1)


def test_ties_at_the_threshold_leave_fewer_and_none_filters_nothing():
    logits = np.array([[3.0, 2.0, 2.0, 1.0]], "float32")
    np.testing.assert_array_equal(to_numpy(ConceptFilter(3)(logits)), [[1, 0, 0, 0]])
    for top in (None, 5):
        np.testing.assert_array_equal(to_numpy(ConceptFilter(top)(logits)), [[1] * 4])
    with pytest.raises(ValueError, match="top"):
        ConceptFilter(1)


def test_overlap_by_chance_is_the_note_s():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 20000, 200)).astype("float32")
    layer = ConceptFilter(10)
    overlap = to_numpy(layer(first) * layer(second)).sum(axis=1).mean()
    assert overlap == pytest.approx(0.4, abs=0.02)


def test_layers_survive_their_config():
    layers = [
        ConceptBank(3, 2, "unit_norm"),
        SinkhornAssignment(0.1, 2),
        ConceptCrossAttention(8, 1e-6),
        ConceptFilter(4),
    ]
    for layer in layers:
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()


def test_assignments_where_no_sample_counts_are_those_of_all():
    scores = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    none = SinkhornAssignment()(scores, valid=np.zeros(6, bool))
    np.testing.assert_allclose(to_numpy(none), to_numpy(SinkhornAssignment()(scores)))
