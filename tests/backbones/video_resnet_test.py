import numpy as np
import pytest

from keras_avrep.backbones import VideoResNetBackbone


@pytest.mark.parametrize(
    ("convolution", "blocks", "millions"),
    [("2plus1d", [1] * 4, 12.5), ("2plus1d", [2] * 4, 31.3), ("3d", [2] * 4, 33.2)],
)
def test_parameter_counts(convolution, blocks, millions):
    backbone = VideoResNetBackbone(convolution, blocks)
    assert round(backbone.count_params() / 1e6, 1) == millions


@pytest.mark.parametrize("convolution", ["2plus1d", "3d", "mixed"])
def test_map_shape_and_config(convolution):
    backbone = VideoResNetBackbone(convolution, [1] * 4, width_multiplier=0.125)
    x = np.random.default_rng(0).normal(size=(1, 8, 32, 32, 3)).astype("float32")
    time = 8 if convolution == "mixed" else 1
    assert tuple(backbone(x).shape) == (1, time, 2, 2, 64)
    again = VideoResNetBackbone.from_config(backbone.get_config())
    assert again.get_config() == backbone.get_config()


def test_the_stem_of_the_concepts_r3d_18():
    backbone = VideoResNetBackbone("3d", stem_frames=7, stem_pool=True)
    assert round(backbone.count_params() / 1e6, 1) == 33.2
    assert backbone.get_layer("stem_conv").kernel.shape == (7, 7, 7, 3, 64)
    # Of 16 x 128 x 128, with the pooling 2 x 4 x 4.
    assert backbone.compute_output_shape((1, 16, 128, 128, 3)) == (1, 2, 4, 4, 512)
    again = VideoResNetBackbone.from_config(backbone.get_config())
    assert again.get_layer("stem_pool").padding == "symmetric"
    with pytest.raises(ValueError, match="`stem_frames` is 7"):
        VideoResNetBackbone("2plus1d", stem_frames=7)


def test_unknown_convolution_is_refused():
    with pytest.raises(ValueError, match="convolution"):
        VideoResNetBackbone("4d")
