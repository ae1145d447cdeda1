import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.backbones import ResNet3DBackbone


def tiny(**kwargs):
    return ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625, **kwargs)


def count(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


def test_parameter_counts_are_those_of_the_released_trunk():
    backbone = ResNet3DBackbone()
    assert count(backbone.trainable_variables) == 31_672_128
    branch = backbone.stage_copy("stage4", "stage4_local")
    both = backbone.trainable_variables + branch.trainable_variables
    assert count(both) == 51_879_744
    assert backbone.compute_output_shape((None, 16, 224, 224, 3)) == (
        *(None, 8, 7, 7, 2048),
    )


def test_time_is_halved_once_and_folding_changes_nothing():
    x = np.random.default_rng(0).normal(size=(2, 8, 32, 32, 3)).astype("float32")
    folded, plain = tiny(), tiny(fold=False)
    plain.set_weights(folded.get_weights())
    y = ops.convert_to_numpy(folded(x))
    assert y.shape == (2, 4, 1, 1, 128)
    np.testing.assert_allclose(y, ops.convert_to_numpy(plain(x)), atol=1e-4)


@pytest.mark.parametrize(("frames", "offset"), [(8, 1), (7, 0)])
def test_a_step_is_centred_on_every_second_frame(frames, offset):
    # Only the stem strides in time, so an impulse through it shows the centres.
    stem = tiny().get_layer("stem_conv")
    x = np.zeros((1, frames, 8, 8, 3), "float32")
    kernel = np.zeros(stem.kernel.shape, "float32")
    kernel[2] = 1.0
    stem.kernel.assign(kernel)
    for step in range(frames // 2):
        x[:] = 0
        x[0, 2 * step + offset] = 1.0
        response = ops.convert_to_numpy(stem(x)).sum(axis=(0, 2, 3, 4))
        assert np.flatnonzero(response).tolist() == [step]


def test_of_a_clip_that_stands_still_edge_padding_makes_all_steps_alike():
    frame = np.random.default_rng(0).normal(size=(1, 1, 32, 32, 3)).astype("float32")
    clip = np.repeat(frame, 8, axis=1)
    apart = {}
    for padding in ("zeros", "edge"):
        steps = ops.convert_to_numpy(tiny(time_padding=padding)(clip))
        apart[padding] = np.abs(steps - steps[:, :1]).max() / np.abs(steps).max()
    assert apart["edge"] < 1e-5 < 0.01 < apart["zeros"]


def test_a_branch_starts_apart_and_stages_share_layers():
    backbone = tiny()
    branch = backbone.stage_copy("stage4", "stage4_local")
    x = np.random.default_rng(0).normal(size=(1, 4, 32, 32, 3)).astype("float32")
    maps = backbone.with_stages(["stage3", "stage4"])(x)
    np.testing.assert_allclose(
        ops.convert_to_numpy(maps["stage4"]),
        ops.convert_to_numpy(backbone(x)),
        atol=1e-5,
    )
    branched = branch(maps["stage3"])
    assert branched.shape == maps["stage4"].shape
    assert not np.allclose(branched, ops.convert_to_numpy(maps["stage4"]))
    with pytest.raises(ValueError, match="stage9"):
        backbone.with_stages(["stage9"])


def test_survives_its_config():
    backbone = tiny(temporal_kernels=[1, 3, 1, 3], time_padding="edge")
    again = keras.layers.deserialize(keras.layers.serialize(backbone))
    assert again.get_config() == backbone.get_config()


def test_strides_turn_into_dilations_with_the_same_weights():
    strided = tiny()
    dilated = tiny(spatial_strides=[1, 2, 1, 1], dilations=[1, 1, 2, 4])
    dilated.set_weights(strided.get_weights())
    x = np.random.default_rng(0).normal(size=(1, 2, 64, 64, 3)).astype("float32")
    assert strided(x).shape == (1, 1, 2, 2, 128)
    assert dilated(x).shape == (1, 1, 8, 8, 128)
    branch = dilated.stage_copy("stage4", "stage4_local")
    assert branch(dilated.with_stages(["stage3"])(x)["stage3"]).shape[1:4] == (1, 8, 8)
    again = ResNet3DBackbone.from_config(dilated.get_config())
    assert again.get_config() == dilated.get_config()
