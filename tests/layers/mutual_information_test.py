import math

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.layers import (
    CLUBMutualInformation,
    GradientReversal,
    JSDMutualInformation,
    reversal_strength,
)


def value(x):
    return float(ops.convert_to_numpy(x))


def test_reversal_keeps_values_and_turns_the_gradient():
    start = np.array([[1.0, -2.0, 300.0]])
    layer = GradientReversal()
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(start, strength=0.7)), start, 1e-6
    )
    weights = np.array([[2.0, -3.0, 0.5]], "float32")
    for strength in (0.0, 0.25, 1.0):
        found = gradient(
            lambda x, s=strength: ops.sum(ops.multiply(weights, layer(x, strength=s))),
            start / 100,
        )
        np.testing.assert_allclose(found, -strength * weights, atol=1e-5)


def test_strength_follows_dann():
    expected = {0: 0.0, 50: 2 / (1 + math.exp(-5)) - 1, 100: 0.99991, 1000: 0.99991}
    for batches, wanted in expected.items():
        found = value(reversal_strength(batches, 100))
        assert math.isclose(found, wanted, abs_tol=1e-5)
    assert value(reversal_strength(0, 0)) == 1.0


def test_a_blind_critic_says_independent():
    rng = np.random.default_rng(0)
    critic = JSDMutualInformation(8)
    first, second = rng.normal(size=(6, 4, 5)), rng.normal(size=(6, 4, 3))
    # Weights drawn anew are nearly blind.
    assert math.isclose(value(critic(first, second)), -2 * math.log(2), abs_tol=0.02)
    critic.score.kernel.assign(ops.zeros((8, 1)))
    assert math.isclose(value(critic(first, second)), -1.386294, abs_tol=1e-5)


def trained(estimate, layer, steps=150):
    """Train a layer on pairs where one variable is, or is not, the other's copy."""
    rng = np.random.default_rng(0)
    found = []
    for dependent in (True, False):
        keras.utils.set_random_seed(0)
        # The second half is held out: pairs can be learned by heart.
        first = rng.normal(size=(512, 2)).astype("float32")
        second = first if dependent else rng.permutation(first)
        inputs = [keras.Input((2,)), keras.Input((2,))]
        critic = layer(16)
        outputs = keras.layers.Lambda(lambda x: ops.reshape(x, (1, 1)))(
            estimate(critic(*inputs))
        )
        model = keras.Model(inputs, outputs)
        model.compile(
            keras.optimizers.Adam(0.02),
            loss=lambda y, x: ops.mean(x),
            jit_compile=False,
        )
        for _ in range(steps):
            model.train_on_batch([first[:256], second[:256]], np.zeros((256, 1)))
        found.append(critic(first[256:], second[256:]))
    return found


def test_a_trained_critic_tells_dependence():
    same, apart = trained(lambda x: -x, JSDMutualInformation)
    assert value(same) > -0.7
    assert value(apart) < -1.2


def test_the_fitted_bound_tells_dependence():
    same, apart = trained(lambda x: x[1], CLUBMutualInformation)
    assert value(same[0]) > 1.0
    assert abs(value(apart[0])) < 0.4


def test_bound_and_fit_have_apart_gradients():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)).astype("float32")
    club = CLUBMutualInformation(4)
    club.build((5, 3), (5, 2))
    assert (gradient(lambda x: club(x, second)[1], first) == 0).all()
    assert np.abs(gradient(lambda x: club(x, second)[0], first)).max() > 1e-3


def test_layers_survive_their_config():
    layers = (GradientReversal(), JSDMutualInformation(9), CLUBMutualInformation(7))
    for layer in layers:
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("layer", [JSDMutualInformation, CLUBMutualInformation])
def test_estimates_are_float32_under_any_policy(layer):
    keras.config.set_dtype_policy("mixed_bfloat16")
    found = layer(4)(np.ones((3, 2), "float32"), np.ones((3, 2), "float32"))
    assert {
        keras.backend.standardize_dtype(x.dtype) for x in keras.tree.flatten(found)
    } == {"float32"}
