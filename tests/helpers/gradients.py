"""Gradients on whatever backend the tests run on, read off one step of SGD."""

import keras
import numpy as np
from keras import ops


def gradient(function, start):
    """Gradient of a scalar function at a point, an array of the point's shape."""
    start = np.asarray(start, "float32")
    applied = _Applied(function, start)
    inputs = keras.Input((1,))
    model = keras.Model(inputs, applied(inputs))
    model.compile(
        keras.optimizers.SGD(1.0), loss=lambda _, y: ops.mean(y), jit_compile=False
    )
    # Variables created inside the step would make TensorFlow trace it twice.
    model.optimizer.build(model.trainable_variables)
    model.fit(np.zeros((1, 1)), np.zeros((1, 1)), verbose=0)
    return start - ops.convert_to_numpy(applied.point)


class _Applied(keras.layers.Layer):
    def __init__(self, function, start):
        super().__init__()
        self.function = function
        self.start = start

    def build(self, input_shape):
        self.point = self.add_weight(shape=self.start.shape, initializer="zeros")
        self.point.assign(self.start)

    def call(self, inputs):
        point = ops.convert_to_tensor(self.point)
        # A function without gradient has one of 0 here.
        value = self.function(point) + 0.0 * ops.sum(point)
        return ops.reshape(value, (1, 1)) + 0.0 * inputs
