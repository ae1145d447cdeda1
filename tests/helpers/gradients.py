"""Gradients on whatever backend the tests run on."""

import keras
import numpy as np
from keras import ops


def gradient(function, start):
    """Gradient of a scalar function at a point, an array of the point's shape."""
    return gradients(function, start)[0]


def gradients(function, *arrays):
    """Gradients of a scalar by each array; 0 where it does not depend on one."""
    arrays = [np.asarray(array, "float32") for array in arrays]
    found = BACKENDS[keras.backend.backend()](function, arrays)
    return [
        np.zeros_like(array) if slope is None else ops.convert_to_numpy(slope)
        for slope, array in zip(found, arrays, strict=True)
    ]


def _of_tensorflow(function, arrays):
    import tensorflow as tf

    points = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = function(*points)
    return tape.gradient(value, points)


def _of_jax(function, arrays):
    import jax

    return jax.grad(function, argnums=tuple(range(len(arrays))))(*arrays)


def _of_torch(function, arrays):
    points = [ops.convert_to_tensor(array).requires_grad_() for array in arrays]
    value = function(*points)
    if value.requires_grad:
        value.backward()
    return [point.grad for point in points]


BACKENDS = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
