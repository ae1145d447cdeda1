import math

import keras
import numpy as np
import pytest
from gradients import gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.losses import (
    interpolated_step_match,
    nearest_step_match,
    steps_within,
    temporal_nce,
)

SHORT = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 0]]], "float32")
LONG = np.array(
    [
        [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 0]],
    ],
    "float32",
)
SHORT_TIMES = np.array([[2, 6], [6, 10]], "float32")
LONG_TIMES = np.array([[2, 6, 10, 14]] * 2, "float32")
GOLDEN = {
    ("both", 0.1): 2.379261,
    ("both", 0.2): 1.720171,
    ("within", 0.1): 2.004255,
    ("within", 0.2): 1.247112,
    ("across", 0.1): 1.576107,
    ("across", 0.2): 1.202618,
}


def loss(*arrays, **kwargs):
    arrays = arrays or (SHORT, LONG, SHORT_TIMES, LONG_TIMES)
    return to_float(temporal_nce(*arrays, **{"symmetric": False, **kwargs}))


def to_float(x):
    return float(ops.convert_to_numpy(x))


def draw(batch=3, short=4, long=8, dim=6, seed=0):
    """Clips at equal rate, each short one 2 steps after the start of its long one."""
    rng = np.random.default_rng(seed)
    times = np.tile(4 * np.arange(long) + 2, (batch, 1)).astype("float32")
    return (
        rng.normal(size=(batch, short, dim)).astype("float32"),
        rng.normal(size=(batch, long, dim)).astype("float32"),
        times[:, 2 : 2 + short],
        times,
    )


@pytest.mark.parametrize(("negatives", "temperature"), GOLDEN)
def test_golden_values_of_the_note(negatives, temperature):
    expected = GOLDEN[negatives, temperature]
    for delta in (0.0, None):
        found = loss(negatives=negatives, temperature=temperature, delta=delta)
        assert math.isclose(found, expected, abs_tol=1e-5)


def test_a_guard_band_takes_near_steps_out():
    assert math.isclose(loss(delta=4.0), 1.576213, abs_tol=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_constant_embeddings_are_at_chance(temperature):
    arrays = (np.ones_like(SHORT), np.ones_like(LONG), SHORT_TIMES, LONG_TIMES)
    both = loss(*arrays, temperature=temperature)
    within = loss(*arrays, negatives="within", temperature=temperature)
    assert math.isclose(both, math.log(8), abs_tol=1e-5)
    assert math.isclose(within, math.log(4), abs_tol=1e-5)


def test_chance_counts_the_steps_that_other_videos_give():
    short, long, *times = draw(batch=9, short=8, long=16)
    arrays = (np.ones_like(short), np.ones_like(long), *times)
    assert math.isclose(loss(*arrays), math.log(8 * 16 + 16), abs_tol=1e-4)
    few = loss(*arrays, cross_steps=3)
    assert math.isclose(few, math.log(8 * 3 + 16), abs_tol=1e-4)


def test_constant_embeddings_are_best_without_negatives_within():
    """The dial: only steps of the same video ask for embeddings that tell when."""
    short, long, *times = draw(batch=3)
    still = np.eye(3, 6, dtype="float32")[:, None]
    still = [np.repeat(still, n, axis=1) for n in (short.shape[1], long.shape[1])]
    assert loss(*still, *times, negatives="across") < 0.01
    assert loss(*still, *times, negatives="both") > 2


def test_equals_the_global_local_loss_of_tclr():
    rng = np.random.default_rng(1)
    short, long = rng.normal(size=(2, 5, 4, 6)).astype("float32")
    times = np.tile(np.arange(4.0), (5, 1)).astype("float32")
    s, g = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (short, long))
    # Four slices against four, both ways, summed over 8 B rows, divided by 2 B.
    total = 0.0
    for own, other in zip(s.astype("float64"), g, strict=True):
        logits = own @ other.T / 0.1
        for rows in (logits, logits.T):
            total += np.sum(np.log(np.exp(rows).sum(axis=1)) - np.diag(rows))
    found = loss(short, long, times, times, negatives="within", symmetric=True)
    assert math.isclose(4 * found, total / (2 * 5), rel_tol=1e-5)


@pytest.mark.parametrize("cross_chunks", [1, 2, 3, 4, 6, 9])
@pytest.mark.parametrize("match", ["nearest", "interpolated"])
def test_chunks_change_neither_the_value_nor_the_gradient(cross_chunks, match):
    short, long, *times = draw(batch=6)

    def graded(**kwargs):
        def value(*vectors):
            return temporal_nce(*vectors, *times, match=match, **kwargs)

        return to_float(value(short, long)), *gradients(value, short, long)

    for a, b in zip(graded(), graded(cross_chunks=cross_chunks), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("match", ["nearest", "interpolated"])
def test_a_step_without_negatives_has_no_loss_and_no_gradient(match):
    short, long, *times = draw(batch=2)

    def value(*vectors):
        off = np.array([False, False])
        rows = {"negatives": "within", "within_rows": off}
        return temporal_nce(*vectors, *times, match=match, **rows)

    assert to_float(value(short, long)) == pytest.approx(0, abs=1e-6)
    for slope in gradients(value, short, long):
        np.testing.assert_allclose(slope, 0, atol=1e-6)
    one = [x[:1] for x in draw()]
    alone = loss(*one, negatives="across", match=match)
    assert alone == pytest.approx(0, abs=1e-6)
    assert loss(*one, negatives="within", match=match) > 0.1


def test_a_looped_video_keeps_only_the_negatives_of_others():
    arrays = draw(batch=2)
    rows = np.array([True, False])
    both = loss(*arrays, within_rows=rows)
    own = [loss(*arrays), loss(*arrays, negatives="across")]
    kept, dropped = (
        ops.convert_to_numpy(temporal_nce(*arrays, symmetric=False, within_rows=mask))
        for mask in (np.array([True, True]), np.array([False, False]))
    )
    assert own == pytest.approx([float(kept), float(dropped)], abs=1e-6)
    assert min(own) < both < max(own)


def test_moving_the_matched_step_nearer_lowers_the_loss():
    short, long, *times = draw()
    losses = []
    for share in (0.0, 0.3, 0.6, 1.0):
        moved = long.copy()
        moved[:, 2:6] = (1 - share) * long[:, 2:6] + share * short
        losses.append(loss(short, moved, *times, symmetric=True))
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1] + 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["nearest", "interpolated"]))
def test_order_matters_only_as_far_as_times_say(seed, match):
    rng = np.random.default_rng(seed)
    short, long, short_times, long_times = draw(batch=4, seed=seed)
    expected = loss(short, long, short_times, long_times, match=match)
    videos = rng.permutation(4)
    permuted = [x[videos] for x in (short, long, short_times, long_times)]
    assert loss(*permuted, match=match) == pytest.approx(expected, abs=1e-5)
    steps = rng.permutation(8)
    together = (short, long[:, steps], short_times, long_times[:, steps])
    assert loss(*together, match=match) == pytest.approx(expected, abs=1e-5)
    rolled = (short, np.roll(long, 1, axis=1), short_times, long_times)
    assert loss(*rolled, match=match) != pytest.approx(expected, abs=1e-4)


def test_within_ignores_other_videos():
    arrays = draw(batch=3)
    alone = np.mean([loss(*(x[i : i + 1] for x in arrays)) for i in range(3)])
    assert loss(*arrays, negatives="within") == pytest.approx(alone, abs=1e-5)


def test_subsampled_steps_take_turns():
    arrays = draw(batch=3)
    losses = [loss(*arrays, cross_steps=2, cross_offset=i) for i in range(8)]
    # Every fourth step, from offset on: four different pairs.
    assert losses[:4] == pytest.approx(losses[4:], abs=1e-6)
    assert len(np.unique(np.round(losses[:4], 5))) == 4
    assert loss(*arrays, cross_steps=8) == pytest.approx(loss(*arrays), abs=1e-6)


def test_only_long_steps_within_the_short_clip_ask():
    short, long, short_times, long_times = draw(batch=2)
    asking = ops.convert_to_numpy(steps_within(long_times, short_times))
    np.testing.assert_array_equal(asking, [[0, 0, 1, 1, 1, 1, 0, 0]] * 2)
    # Steps outside have no positive: theirs is not part of the loss.
    arrays = (short, long, short_times, long_times)
    value = loss(*arrays, negatives="within", symmetric=True)
    forward = loss(*arrays, negatives="within")
    reverse = loss(long[:, 2:6], short, long_times[:, 2:6], short_times,
                   negatives="within")  # fmt: skip
    assert value == pytest.approx((forward + reverse) / 2, abs=1e-5)


def test_nearest_steps_of_the_note():
    short = np.arange(22, 54, 4, dtype="float32")[None]
    for long, expected in (
        (np.arange(5, 80, 10), [2, 2, 2, 3, 3, 4, 4, 4]),
        (np.arange(2, 64, 4), [5, 6, 7, 8, 9, 10, 11, 12]),
    ):
        match = nearest_step_match(short, long[None].astype("float32"))
        found = ops.convert_to_numpy(match)
        np.testing.assert_array_equal(found.argmax(-1), [expected])
        np.testing.assert_array_equal(found.sum(-1), 1)


def test_interpolation_splits_a_step_between_its_two_neighbours():
    key = np.array([[0.0, 4.0, 8.0]], "float32")
    query = np.array([[4.0, 5.0, 9.0, 20.0]], "float32")
    weights = ops.convert_to_numpy(interpolated_step_match(query, key))[0]
    expected = [[0, 1, 0], [0, 0.75, 0.25], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    lone = ops.convert_to_numpy(interpolated_step_match(query, key[:, :1]))
    np.testing.assert_array_equal(lone, np.ones((1, 4, 1)))


def test_matches_agree_where_steps_meet():
    arrays = draw()
    assert loss(*arrays, match="interpolated", symmetric=True) == pytest.approx(
        loss(*arrays, symmetric=True), abs=1e-5
    )


def test_is_float32_in_half_precision():
    half = [ops.cast(x, "bfloat16") for x in (SHORT, LONG)]
    value = temporal_nce(*half, SHORT_TIMES, LONG_TIMES, symmetric=False)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    assert to_float(value) == pytest.approx(GOLDEN["both", 0.1], abs=1e-2)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="negatives"):
        loss(negatives="none")
    with pytest.raises(ValueError, match="match"):
        loss(match="linear")


def test_what_is_pulled_together_one_way_is_not_pushed_apart_the_other():
    """Steps of the short clip are nearer to each other than those of the long one."""
    rng = np.random.default_rng(0)
    short, long = (rng.normal(size=(1, n, 6)).astype("float32") for n in (8, 8))
    short_times = (22.0 + 4 * np.arange(8, dtype="float32"))[None]
    long_times = (5.0 + 10 * np.arange(8, dtype="float32"))[None]
    arrays = (short, long, short_times, long_times)
    options = {"negatives": "within", "match": "interpolated", "symmetric": True}
    half = loss(*arrays, **options)
    # Half a step of the long clip, which is what `delta` says in both directions.
    assert half == pytest.approx(loss(*arrays, delta=5.0, **options), abs=1e-6)
    assert half != pytest.approx(loss(*arrays, delta=2.0, **options), abs=1e-3)
