import numpy as np
import pytest

from keras_avrep.evaluation import (
    order_accuracy,
    step_match,
    temporal_variance_ratio,
    time_regression,
)


def videos(count=60, steps=8, dim=6, seed=0):
    """Constant over time but for noise, one vector a video."""
    rng = np.random.default_rng(seed)
    still = np.repeat(rng.normal(size=(count, 1, dim)), steps, axis=1)
    return still + 0.01 * rng.normal(size=still.shape)


def clock(count=60, steps=8, dim=6, seed=0):
    """As `videos`, with the time on one axis and a step's own mark elsewhere."""
    rng = np.random.default_rng(seed)
    x = videos(count, steps, dim, seed)
    x[..., 0] = np.linspace(-2, 2, steps)
    return x + 0.1 * rng.normal(size=x.shape)


def test_a_clock_is_read_and_constant_features_are_not():
    assert time_regression(clock(), clock(seed=1)) > 0.95
    assert abs(time_regression(videos(), videos(seed=1))) < 0.2
    assert order_accuracy(clock(), clock(seed=1)) > 0.95
    # The noise knows no time.
    assert 0.4 < order_accuracy(videos(), videos(seed=1)) < 0.6


def test_no_differences_are_at_chance():
    still = np.ones((5, 4, 3))
    assert order_accuracy(still, still) == 0.5
    assert time_regression(still, still) == pytest.approx(0.0)


def test_variance_ratio_by_hand():
    steps = np.array([[[0.0], [2.0]], [[4.0], [6.0]]])
    assert temporal_variance_ratio(steps) == pytest.approx(1 / 5)
    assert temporal_variance_ratio(np.ones((3, 4, 2))) == 0.0
    assert temporal_variance_ratio(steps[:, :1]) == 0.0
    same = np.repeat(np.array([[[0.0], [2.0]]]), 3, axis=0)
    assert temporal_variance_ratio(same) == pytest.approx(1.0)


def test_step_match_by_hand():
    long = np.eye(4)[None]
    long_times = np.array([[0.0, 4.0, 8.0, 12.0]])
    # Steps at 4, 8 and 12 that look like those at 4, 0 and 12.
    short = np.eye(4)[None, [1, 0, 3]]
    scores = step_match(short, long, np.array([[4.0, 8.0, 12.0]]), long_times)
    assert scores == {
        "accuracy": pytest.approx(2 / 3),
        "chance": 0.25,
        "mean_absolute_error": pytest.approx(8 / 3),
        "ends": 1.0,
        "middle": 0.5,
        "ends_share": pytest.approx(1 / 3),
    }


def test_constant_steps_match_at_chance():
    rng = np.random.default_rng(0)
    long = rng.normal(size=(500, 8, 16))
    times = np.tile(np.arange(8.0), (500, 1))
    short = rng.normal(size=(500, 4, 16))
    scores = step_match(short, long, times[:, 2:6], times)
    assert scores["accuracy"] == pytest.approx(scores["chance"], abs=0.03)
    assert np.isnan(scores["ends"])
