"""Kernels of a backend against `keras.ops`; on JAX there are none."""

import keras
import numpy as np
import pytest

from keras_avrep.kernels import batch_norm
from keras_avrep.layers import FoldedBatchNormalization

BACKEND = keras.backend.backend()


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(2, 3, shape).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("channels", [16, 72])  # 72 are filled up on TensorFlow
def test_training_is_the_formula_with_a_kernel_or_without(policy, channels):
    # Without momentum the moving statistics are those of the batch.
    layer = FoldedBatchNormalization(momentum=0.0, epsilon=1e-3, dtype=policy)
    layer.build((None, 2, 4, 5, channels))
    gamma, beta = draw(channels, 1), draw(channels, 2)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    x = keras.ops.cast(draw((3, 2, 4, 5, channels)), layer.compute_dtype)
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
    assert tuple(y.shape) == (3, 2, 4, 5, channels)
    values = numpy(x).reshape(-1, channels).astype("float64")
    np.testing.assert_allclose(numpy(layer.moving_mean), values.mean(0), atol=1e-5)
    np.testing.assert_allclose(numpy(layer.moving_variance), values.var(0), rtol=1e-5)
    expected = (values - values.mean(0)) / np.sqrt(values.var(0) + 1e-3)
    expected = (expected * gamma + beta).reshape(x.shape)
    tolerance = {"float32": 1e-4, "mixed_bfloat16": 0.05}[policy]
    np.testing.assert_allclose(numpy(y), expected, atol=tolerance, rtol=1e-2)


# Shape, type, and whether the backend has a kernel that is faster at it.
CASES = {
    "tensorflow": [
        ((2, 3, 4, 16), "bfloat16", True),
        ((2, 3, 4, 72), "float32", True),
        ((2, 3, 4, 12), "float32", False),
        ((2, 3, 4, 16), "float16", False),
    ],
    "torch": [
        ((2, 3, 4, 5), "float32", True),
        ((2, 3, 4, 16), "bfloat16", True),
        ((1, 1, 1, 16), "float32", False),
    ],
    "jax": [((2, 3, 4, 16), "float32", False)],
}


@pytest.mark.parametrize("shape, dtype, expected", CASES[BACKEND])
def test_a_kernel_does_what_it_is_faster_at_and_nothing_else(shape, dtype, expected):
    ones, zeros = keras.ops.ones(shape[-1]), keras.ops.zeros(shape[-1])
    found = batch_norm(keras.ops.ones(shape, dtype), ones, zeros, 1e-3)
    assert (found is not None) == expected


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize("channels", [16, 72])
def test_a_step_of_training_is_that_of_the_plain_layer(channels, options):
    """Gradients, moving statistics and outputs, with a batch of any size."""
    x, target = draw((4, 2, 3, 5, channels)), draw((4, 7), 1)
    trained = []
    for kind in (FoldedBatchNormalization, keras.layers.BatchNormalization):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((2, 3, 5, channels)),
                keras.layers.Dense(channels, use_bias=False),
                kind(momentum=0.9, **options),
                keras.layers.Activation("tanh"),
                keras.layers.Flatten(),
                keras.layers.Dense(7),
            ]
        )
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        losses = [model.train_on_batch(x[:n], target[:n]) for n in (4, 3, 4)]
        trained.append((losses, model.get_weights()))
    (losses, weights), (plain_losses, plain_weights) = trained
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-4)
    for a, b in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
