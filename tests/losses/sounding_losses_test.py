"""Losses of sound localisation: golden values by hand from CSOL's formulae."""

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.losses import (
    class_presence,
    correspondence,
    distribution_divergence,
)

HEARD = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], "float32")
SEEN = np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]], "float32")


def test_divergence_by_hand():
    # Both rows: ln 2.
    found = float(distribution_divergence(HEARD, np.log(SEEN)))
    assert found == pytest.approx(np.log(2), abs=1e-6)
    divided = float(
        distribution_divergence(HEARD, np.log(SEEN), divide_by_classes=True)
    )
    assert divided == pytest.approx(np.log(2) / 3, abs=1e-6)


def test_the_other_direction_by_hand():
    target = np.array([[0.25, 0.75]], "float32")
    seen = np.array([[0.5, 0.5]], "float32")
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    found = distribution_divergence(target, np.log(seen), direction="prediction")
    assert float(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("direction", ["target", "prediction"])
def test_equal_distributions_cost_nothing_and_gradients_are_finite(direction):
    loss = distribution_divergence(SEEN, np.log(SEEN), direction)
    assert float(loss) == pytest.approx(0.0, abs=1e-6)
    found = gradient(
        lambda x: distribution_divergence(HEARD, ops.log_softmax(x), direction), SEEN
    )
    assert np.isfinite(found).all()


def test_the_target_has_no_gradient():
    # Backends differ in whether the gradient of a constant is zeros or nothing.
    found = gradient(
        lambda x: distribution_divergence(x, np.log(SEEN)) + 0 * ops.sum(x), SEEN
    )
    np.testing.assert_array_equal(found, np.zeros_like(SEEN))


def test_an_unknown_direction_is_named():
    with pytest.raises(ValueError, match="sideways"):
        distribution_divergence(HEARD, np.log(SEEN), direction="sideways")


def test_presence_by_hand():
    # The mean probability of the first map is 0.75, of the second 0.5.
    maps = np.zeros((1, 1, 2, 2), "float32")
    maps[0, 0, :, 0] = np.log([3.0, 3.0])
    found = float(class_presence(maps, np.array([[1.0, 0.25]], "float32")))
    assert found == pytest.approx((np.log(4 / 3) + np.log(2)) / 2, abs=1e-6)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_presence_has_no_infinite_gradient_and_none_of_the_target(logit):
    maps = np.full((2, 2, 2, 3), logit, "float32")
    assert np.isfinite(gradient(lambda x: class_presence(x, HEARD), maps)).all()
    flat = np.zeros((2, 2, 2, 3), "float32")
    found = gradient(lambda x: class_presence(flat, x) + 0 * ops.sum(x), HEARD)
    np.testing.assert_array_equal(found, np.zeros_like(HEARD))


def test_correspondence_by_hand():
    matched = np.array([[0.5], [0.25]], "float32")
    mismatched = np.array([[0.5, 0.5, 0.5, 0.75]] * 2, "float32")
    missed = (np.log(2) + np.log(4)) / 2
    mistaken = (3 * np.log(2) + np.log(4)) / 4
    found = float(correspondence(matched, mismatched))
    assert found == pytest.approx((missed + mistaken) / 2, abs=1e-6)


def test_correspondence_counts_no_mismatch_of_the_same():
    matched = np.array([[0.5], [0.25]], "float32")
    mismatched = np.array([[0.5, 0.99], [0.75, 0.5]], "float32")
    counted = np.array([[1, 0], [1, 1]])
    expected = (np.log(2) + np.log(4)) / 2 + (2 * np.log(2) + np.log(4)) / 3
    found = float(correspondence(matched, mismatched, counted=counted))
    assert found == pytest.approx(expected / 2, abs=1e-6)
    alone = float(correspondence(matched, mismatched, counted=0 * counted))
    assert alone == pytest.approx((np.log(2) + np.log(4)) / 4, abs=1e-6)


def test_certain_mistakes_cost_a_finite_amount():
    worst = float(correspondence(np.zeros((2, 1)), np.ones((2, 1))))
    assert 10 < worst < 20
    half = np.full((2, 1), 0.5, "float32")
    found = gradient(lambda x: correspondence(x, 1 - x), half)
    np.testing.assert_allclose(found, np.full((2, 1), -1.0), atol=1e-5)
