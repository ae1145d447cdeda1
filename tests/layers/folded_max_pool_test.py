import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.layers import FoldedMaxPool3D


@pytest.mark.parametrize("size", [8, 7])
def test_equals_the_3d_pooling(size):
    x = np.random.default_rng(0).normal(size=(2, 3, size, size, 4)).astype("float32")
    plain = keras.layers.MaxPooling3D((1, 3, 3), (1, 2, 2), padding="same")
    layer = FoldedMaxPool3D(3, 2)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(plain(x))
    )
    assert layer.compute_output_shape(x.shape) == tuple(layer(x).shape)
    again = FoldedMaxPool3D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_symmetric_padding_equals_that_of_torch():
    import torch

    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8, 4)).astype("float32")
    for size in (3, 5):
        layer = FoldedMaxPool3D(size, 2, "symmetric")
        pool = torch.nn.MaxPool3d((1, size, size), (1, 2, 2), (0, size // 2, size // 2))
        expected = pool(torch.tensor(x).permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), expected.numpy())
        assert layer.compute_output_shape(x.shape) == tuple(layer(x).shape)
    with pytest.raises(ValueError, match="`size` is 2"):
        FoldedMaxPool3D(2, 2, "symmetric")
    with pytest.raises(ValueError, match="`padding` is 'valid'"):
        FoldedMaxPool3D(3, 2, "valid")


def test_one_of_several_equal_maxima_has_the_gradient():
    ones = np.ones((1, 2, 4, 4, 1))
    assert gradient(lambda x: ops.sum(FoldedMaxPool3D(2, 2)(x)), ones).sum() == 8
