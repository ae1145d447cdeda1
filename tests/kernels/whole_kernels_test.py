"""Where full 3-D kernels are left as they are, and that nothing else changes."""

import keras
import numpy as np
import pytest
from gradients import gradients

from keras_avrep.kernels import takes_whole_kernels
from keras_avrep.kernels.onednn import has_onednn
from keras_avrep.layers import FoldedConv3D
from keras_avrep.training import choose_device_policy

BACKEND = keras.backend.backend()
# TensorFlow's are fast with oneDNN, which is for x86 alone.
FAST = {"tensorflow": has_onednn(), "torch": True, "jax": False}[BACKEND]
COULD = FAST and choose_device_policy().device == "cpu"


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def convolution(**options):
    layer = FoldedConv3D(4, (3, 3, 3), (1, 2, 2), **options)
    layer.build((None, 4, 6, 6, 3))
    layer.kernel.assign(draw((3, 3, 3, 3, 4)))
    return layer


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_in_float32_on_a_cpu_but_not_by_xla(dtype):
    x = keras.ops.ones((1, 4, 6, 6, 3), dtype)
    assert takes_whole_kernels(x) == (COULD and dtype == "float32")


@pytest.mark.parametrize("padding", ["symmetric", "same"])
def test_gradients_are_those_of_the_2d_form(padding):
    layer, x, slopes = convolution(padding=padding), draw((2, 4, 6, 6, 3), 1), []
    weights = keras.ops.convert_to_tensor(draw((2, 4, 3, 3, 4), 2))
    for training in (True, False):
        found = gradients(
            lambda x, t=training: keras.ops.sum(layer(x, training=t) * weights), x
        )
        slopes.append(found[0])
    assert np.std(slopes[0]) > 1
    np.testing.assert_allclose(*slopes, atol=1e-4)


# Whether a clip is for training, XLA compiles, the time axis is padded with what is
# at its ends, and whether a convolution in 3-D is expected.
GRAPHS = [
    (True, False, "zeros", COULD),
    (False, False, "zeros", False),
    (True, True, "zeros", False),
    (True, False, "edge", False),
]

if BACKEND == "tensorflow":

    @pytest.mark.parametrize("training, xla, time_padding, expected", GRAPHS)
    def test_graphs_have_the_form_that_is_fast(training, xla, time_padding, expected):
        import tensorflow as tf

        layer = convolution(time_padding=time_padding)
        function = tf.function(lambda x: layer(x, training=training), jit_compile=xla)
        spec = tf.TensorSpec((None, 4, 6, 6, 3))
        graph = function.get_concrete_function(spec).graph
        types = {operation.type for operation in graph.get_operations()}
        assert ("Conv3D" in types) == expected
