import keras
import numpy as np
from keras import ops

from keras_avrep.layers import ProjectionMLP


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_only_the_last_layer_has_a_bias():
    head = ProjectionMLP(2048, 128)
    head.build((None, 2048))
    hidden = 3 * (2048 * 2048 + 2 * 2048)
    trainable = sum(int(np.prod(v.shape)) for v in head.trainable_variables)
    assert trainable == hidden + 2048 * 128 + 128


def test_statistics_are_over_all_leading_axes():
    x = draw(6, 5, 7)
    deep = ProjectionMLP(8, 4, num_layers=2)
    flat = ProjectionMLP(8, 4, num_layers=2)
    y = deep(x, training=True)
    flat.build((None, 7))
    flat.set_weights(deep.get_weights())
    assert tuple(y.shape) == (6, 5, 4)
    np.testing.assert_allclose(
        ops.convert_to_numpy(y).reshape(30, 4),
        ops.convert_to_numpy(flat(x.reshape(30, 7), training=True)),
        atol=1e-5,
    )


def test_training_moves_the_statistics_and_inference_does_not():
    head = ProjectionMLP(8, 4)
    head(draw(6, 7))
    means = [ops.convert_to_numpy(norm.moving_mean) for norm in head.norms]
    assert not np.any(means)
    head(draw(6, 7), training=True)
    assert all(np.any(ops.convert_to_numpy(norm.moving_mean)) for norm in head.norms)


def test_is_float32_in_mixed_precision_and_survives_its_configuration():
    head = ProjectionMLP(8, 4, 1, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(head(draw(2, 7)).dtype) == "float32"
    assert ProjectionMLP.from_config(head.get_config()).get_config() == (
        head.get_config()
    )
