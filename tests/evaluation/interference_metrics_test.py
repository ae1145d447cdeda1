"""The metrics of Keras say the same as the scores of whole arrays."""

import numpy as np
import pytest
from configurations import assert_configuration_comes_back
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_avrep.evaluation import (
    LevelwiseAveragePrecision,
    OffScreenMass,
    level_wise_average_precision,
    off_screen_mass,
)

NONE = np.nan


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_levels_are_those_of_whole_arrays(seed):
    rng = np.random.default_rng(seed)
    # On a grid coarser than the bins, so that ties are the same.
    scores = rng.integers(-99, 100, (9, 5)) / 100
    levels = np.where(rng.random((9, 5)) < 0.4, rng.uniform(-23, 0, (9, 5)), NONE)
    metric = LevelwiseAveragePrecision()
    for rows in (slice(0, 4), slice(4, 9)):
        # In the middle of the bins, as float32 cannot say where their edges are.
        metric.update_state(levels[rows], scores[rows] + 0.0005)
    found = {name: float(value) for name, value in metric.result().items()}
    for edge, row in level_wise_average_precision(scores, levels).items():
        name = "all" if edge == "all" else f"{edge:g}_db"
        for kind in ("average_precision", "f1"):
            expected = pytest.approx(row[kind], abs=1e-5, nan_ok=True)
            assert found[f"{kind}_{name}"] == expected, (kind, name)


def test_levels_by_hand():
    levels = [[3.0, -7.0, NONE, NONE], [0.0, NONE, -9.0, NONE]]
    scores = [[0.9, 0.6, 0.1, 0.7], [0.8, 0.2, 0.3, 0.1]]
    metric = LevelwiseAveragePrecision(edges=(0.0, -10.0))
    metric.update_state(levels, scores)
    found = metric.result()
    assert set(found) == {
        f"{kind}_{name}"
        for kind in ("average_precision", "f1")
        for name in ("all", "0_db", "-10_db")
    }
    assert float(found["average_precision_0_db"]) == 1
    # 0.6 is second after 0.7, 0.3 is third.
    expected = pytest.approx((1 / 2 + 2 / 3) / 2)
    assert float(found["average_precision_-10_db"]) == expected
    assert float(found["f1_-10_db"]) == 0.5
    metric.reset_state()
    assert all(np.isnan(float(value)) for value in metric.result().values())
    # A sample that counts for nothing.
    metric.update_state(levels, scores, sample_weight=[1.0, 0.0])
    assert float(metric.result()["average_precision_-10_db"]) == 0.5


def test_off_screen_mass_is_that_of_whole_arrays():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(4), 7)
    audible, visible = rng.random((2, 7, 4)) < 0.5
    audible[0] = False
    metric = OffScreenMass()
    assert np.isnan(float(metric.result()))
    unseen = audible & ~visible
    for rows in (slice(0, 3), slice(3, 7)):
        metric.update_state(unseen[rows], shares[rows])
    expected = off_screen_mass(shares, audible, visible)["mass"]
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
    metric.reset_state()
    rows = np.flatnonzero(unseen.any(axis=1))[:2]
    metric.update_state(unseen[rows], shares[rows], sample_weight=[1.0, 3.0])
    each = (shares * unseen)[rows].sum(axis=1)
    expected = (each[0] + 3 * each[1]) / 4
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_what_an_eraser_says_is_counted():
    from tiny_ier import build, draw_inputs

    said = build().predict_on_batch(draw_inputs(np.random.default_rng(0), 4))
    levels = np.array([[0.0, -9.0, NONE], [NONE, 0.0, NONE]] * 2)
    metric, mass = LevelwiseAveragePrecision(), OffScreenMass()
    metric.update_state(levels, said["audible_scores"])
    mass.update_state([[0, 1, 0], [0, 0, 0]] * 2, said["audio_distribution"])
    expected = said["audio_distribution"][[0, 2], 1].mean()
    assert float(mass.result()) == pytest.approx(expected, abs=1e-6)
    expected = level_wise_average_precision(said["audible_scores"], levels)
    found = float(metric.result()["average_precision_-10_db"])
    assert found == pytest.approx(expected[-10.0]["average_precision"], abs=1e-3)


@pytest.mark.parametrize(
    "metric",
    [
        LevelwiseAveragePrecision((0.0, -6.0), 0.4, (0.0, 1.0), 50, name="levels"),
        OffScreenMass(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_configurations_come_back(metric):
    assert_configuration_comes_back(metric)


@pytest.mark.parametrize(
    ("name", "value"),
    [("bins", 0), ("edges", (0.0, 5.0)), ("score_range", (1.0, 0.0))],
)
def test_impossible_arguments_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        LevelwiseAveragePrecision(**{name: value})
