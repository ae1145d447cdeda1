import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import (
    level_wise_average_precision,
    off_screen_energy,
    off_screen_mass,
)

NONE = np.nan


def test_levels_by_hand():
    scores = [[0.9, 0.6, 0.1, 0.7], [0.8, 0.2, 0.3, 0.1]]
    levels = [[3.0, -7.0, NONE, NONE], [0.0, NONE, -9.0, NONE]]
    result = level_wise_average_precision(scores, levels)
    # The loudest: 0.9 and 0.8 among 0.1, 0.7, 0.2, 0.1.
    assert result[0.0] == {
        "average_precision": 1.0,
        "f1": pytest.approx(4 / 5),
        "chance": pytest.approx(1 / 3),
        "count": 2,
    }
    # 10 and 9 dB below: 0.6 is second after 0.7, 0.3 is third.
    quiet = result[-10.0]
    assert quiet["average_precision"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert quiet["f1"] == pytest.approx(2 * 1 / (2 + 2))
    assert result["all"]["count"] == 4
    assert result[-20.0]["count"] == 0
    assert np.isnan(result[-20.0]["average_precision"])


def test_negatives_come_from_the_samples_with_such_a_source():
    scores = [[0.5, 0.4, 0.9], [0.1, 0.2, 0.3]]
    levels = [[0.0, NONE, NONE], [0.0, -20.0, NONE]]
    result = level_wise_average_precision(scores, levels)
    # Only the second sample has a quiet one: 0.2 against 0.3.
    assert result[-20.0]["average_precision"] == 0.5
    assert result[-20.0]["chance"] == 0.5


def test_the_nearest_edge_and_the_louder_of_two():
    levels = [[0.0, -2.5, -2.6, -40.0]]
    result = level_wise_average_precision(np.zeros((1, 4)), levels)
    assert [result[e]["count"] for e in (0.0, -5.0, -20.0)] == [2, 1, 1]


def test_a_constant_gets_the_chance_level():
    rng = np.random.default_rng(0)
    levels = np.where(rng.random((20, 6)) < 0.4, rng.uniform(-20, 0, (20, 6)), NONE)
    result = level_wise_average_precision(np.full((20, 6), 0.3), levels)
    for entry in result.values():
        if entry["count"]:
            assert entry["average_precision"] == pytest.approx(entry["chance"])
            assert entry["f1"] == 0.0


@given(st.integers(0, 10**6))
def test_perfect_scores_are_perfect_at_every_level(seed):
    rng = np.random.default_rng(seed)
    levels = np.where(rng.random((6, 5)) < 0.5, rng.uniform(-22, 0, (6, 5)), NONE)
    audible = ~np.isnan(levels)
    result = level_wise_average_precision(audible.astype(float), levels)
    noise = level_wise_average_precision(rng.random((6, 5)), levels)
    assert sum(v["count"] for k, v in result.items() if k != "all") == audible.sum()
    for edge, entry in result.items():
        if entry["count"]:
            assert entry["average_precision"] == entry["f1"] == 1.0
            assert 0 < noise[edge]["average_precision"] <= 1


def test_what_is_heard_and_not_seen():
    shares = [[0.5, 0.25, 0.25, 0.0], [0.1, 0.2, 0.3, 0.4], [1.0, 0, 0, 0]]
    audible = [[1, 1, 0, 0], [1, 0, 1, 1], [1, 0, 0, 0]]
    visible = [[1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]]
    result = off_screen_mass(shares, audible, visible)
    assert result["mass"] == pytest.approx((0.25 + 0.5) / 2)
    assert result["uniform"] == pytest.approx((0.25 + 0.5) / 2)
    maps = np.zeros((3, 2, 2, 4))
    maps[0, 1, 0] = [9, 0.6, 9, 9]
    maps[1, 0, 1] = [0.3, 9, 9, 0.9]
    assert off_screen_energy(maps, audible, visible) == pytest.approx(0.6)
    seen = np.ones((3, 4))
    assert np.isnan(off_screen_mass(shares, audible, seen)["mass"])
    assert np.isnan(off_screen_energy(maps, audible, seen))


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match="give both as"):
        level_wise_average_precision([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="no number"):
        level_wise_average_precision([[NONE]], [[1.0]])
    with pytest.raises(ValueError, match="make them agree"):
        off_screen_mass([[1.0, 0.0]], [[1]], [[1]])
