import keras
import numpy as np
import pytest

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.training.recalibrate_batch_norm import (
    batch_norms,
    recalibrate_batch_norm,
)


def representation():
    keras.utils.set_random_seed(0)
    backbone = VideoResNetBackbone("mixed", [1] * 4, width_multiplier=0.0625)
    video = keras.Input((4, 16, 16, 3))
    feature = keras.layers.GlobalAveragePooling3D()(backbone(video))
    return keras.Model(video, feature)


def clips(count, size=6):
    draw = np.random.default_rng(1)
    shape = (size, 4, 16, 16, 3)
    return [draw.normal(1 + i, 2, shape).astype("float32") for i in range(count)]


def values(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def output(model, batch, training):
    found = keras.ops.stop_gradient(model(batch, training=training))
    return keras.ops.convert_to_numpy(found)


def single_norm():
    model = keras.Sequential(
        [keras.Input((4, 16, 16, 3)), keras.layers.BatchNormalization(momentum=0.7)]
    )
    return model, model.layers[0]


def test_one_batch_makes_inference_equal_training():
    model = representation()
    assert len(batch_norms(model)) == 12
    [batch] = clips(1)
    weights = values(model.trainable_variables)
    assert recalibrate_batch_norm(model, [batch]) == 1
    for old, new in zip(weights, values(model.trainable_variables), strict=True):
        np.testing.assert_array_equal(old, new)
    inference = output(model, batch, training=False)
    training = output(model, batch, training=True)
    np.testing.assert_allclose(inference, training, atol=1e-4)


def test_three_batches_average():
    model, norm = single_norm()
    # Must be forgotten, not averaged in.
    norm.moving_mean.assign([np.nan, 1e6, -3.0])
    batches = clips(3)
    assert recalibrate_batch_norm(model, iter(batches)) == 3
    means = np.mean([x.mean(axis=(0, 1, 2, 3)) for x in batches], axis=0)
    variances = np.mean([x.var(axis=(0, 1, 2, 3)) for x in batches], axis=0)
    moving_mean, moving_variance = values([norm.moving_mean, norm.moving_variance])
    np.testing.assert_allclose(moving_mean, means, rtol=1e-5)
    np.testing.assert_allclose(moving_variance, variances, rtol=1e-4)
    assert norm.momentum == 0.7


def test_steps_take_no_batch_too_many():
    model, _ = single_norm()
    batches = iter(clips(3))
    assert recalibrate_batch_norm(model, batches, steps=2) == 2
    assert len(list(batches)) == 1


def test_frozen_layers_are_estimated_and_stay_frozen():
    model = representation()
    norms = batch_norms(model)
    norms[0].beta.trainable = False
    model.layers[1].trainable = False
    before = values(norm.moving_mean for norm in norms)
    recalibrate_batch_norm(model, clips(1))
    for old, norm in zip(before, norms, strict=True):
        assert np.abs(old - values([norm.moving_mean])[0]).max() > 0
    assert not model.trainable_variables
    assert {norm.momentum for norm in norms} == {0.9}


def test_momentum_comes_back_after_an_error():
    model, norm = single_norm()

    def broken():
        yield clips(1)[0]
        raise OSError("no more clips")

    with pytest.raises(OSError, match="no more"):
        recalibrate_batch_norm(model, broken())
    assert norm.momentum == 0.7


@pytest.mark.parametrize(("batches", "steps"), [([], None), (clips(1), 0)])
def test_no_batches_are_refused_unchanged(batches, steps):
    model, norm = single_norm()
    norm.moving_mean.assign([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="`batches`"):
        recalibrate_batch_norm(model, batches, steps)
    np.testing.assert_array_equal(values([norm.moving_mean])[0], [1, 2, 3])


def test_model_without_batch_norm_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no BatchNormalization"):
        recalibrate_batch_norm(model, [np.zeros((1, 3))])
