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


def test_unknown_convolution_is_refused():
    with pytest.raises(ValueError, match="convolution"):
        VideoResNetBackbone("4d")
