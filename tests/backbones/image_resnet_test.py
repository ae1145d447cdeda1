import keras
import numpy as np
import pytest
import torch
from torch import nn

from keras_avrep.backbones import (
    AudioResNetBackbone,
    ImageResNetBackbone,
    VideoResNetBackbone,
    convert_torchvision,
    infer_image_backbone_arguments,
)
from keras_avrep.cli.main import main

WIDTHS = (16, 32, 64, 128)
BLOCKS = (2, 1, 1, 2)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(x + shortcut)


class TorchResNet(nn.Module):
    """Parameter names and arithmetic of torchvision's ResNet-18."""

    def __init__(self, blocks=BLOCKS, widths=WIDTHS, last_stride=2, channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, widths[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        inputs, strides = widths[0], (1, 2, 2, last_stride)
        for stage, (depth, width) in enumerate(zip(blocks, widths, strict=True)):
            layer = []
            for block in range(depth):
                layer.append(BasicBlock(inputs, width, 1 if block else strides[stage]))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(inputs, 4)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = nn.functional.max_pool2d(x, 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def random_net(**kwargs):
    torch.manual_seed(0)
    net = TorchResNet(**kwargs).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            # Below 1, so that activations do not grow from block to block.
            nn.init.uniform_(module.weight, 0.3, 0.8)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            for array in (module.bias, module.running_mean):
                nn.init.normal_(array, 0.0, 0.2)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return net


def outputs(net, backbone, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    with torch.no_grad():
        expected = net(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    found = keras.ops.convert_to_numpy(backbone(x, training=False))
    return found, expected.numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize("last_stride", [1, 2])
@pytest.mark.parametrize("size", [(64, 64), (37, 42), (31, 50)])
def test_pictures_give_the_numbers_of_torch(last_stride, size):
    net = random_net(last_stride=last_stride)
    arguments = infer_image_backbone_arguments(net.state_dict())
    assert arguments == {"blocks": list(BLOCKS), "width_multiplier": 0.25}
    backbone = ImageResNetBackbone(**arguments, last_stride=last_stride)
    report = convert_torchvision(backbone, net.state_dict())
    assert report == {
        "loaded": len(backbone.weights),
        "ignored": ["fc.bias", "fc.weight"],
    }
    found, expected = outputs(net, backbone, (2, *size, 3))
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_third_stride_of_1_keeps_twice_the_height_and_width():
    picture = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32")
    small = {"blocks": [1] * 4, "width_multiplier": 0.0625}
    fine = ImageResNetBackbone(**small, third_stride=1)
    assert fine(picture).shape == (1, 4, 4, 32)
    again = ImageResNetBackbone.from_config(fine.get_config())
    assert again.third_stride == 1
    # The same weights: what it sees at every other place is seen coarsely, too.
    coarse = ImageResNetBackbone(**small)
    coarse.set_weights(fine.get_weights())
    maps = [m.with_stages(["stage2"])(picture)["stage2"] for m in (coarse, fine)]
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, maps), atol=1e-5)
    with pytest.raises(ValueError, match="third_stride"):
        ImageResNetBackbone(**small, third_stride=4)


def test_spectrograms_give_the_numbers_of_torch():
    net = random_net(last_stride=1, channels=1)
    backbone = AudioResNetBackbone(BLOCKS, 0.25)
    state = {f"module.{name}": value for name, value in net.state_dict().items()}
    assert convert_torchvision(backbone, state)["loaded"] == len(backbone.weights)
    found, expected = outputs(net, backbone, (2, 201, 64, 1))
    assert found.shape == (2, 13, 4, 128)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_full_size_is_resnet_18():
    net = random_net(blocks=[2] * 4, widths=(64, 128, 256, 512))
    backbone = ImageResNetBackbone(last_stride=2)
    convert_torchvision(backbone, net.state_dict())
    # torchvision's 11,689,512, less 513,000 of the classifier.
    count = sum(int(np.prod(v.shape)) for v in backbone.trainable_variables)
    assert count == 11_176_512
    np.testing.assert_allclose(*outputs(net, backbone, (1, 64, 64, 3)), atol=1e-4)


STAGES = ["stem", "stage1", "stage2", "stage3", "stage4"]
SIZES = {
    # Table of section 3.1 of the note of CSOL.
    ImageResNetBackbone: (
        (224, 224, 3),
        [(56, 56, 64), (56, 56, 64), (28, 28, 128), (14, 14, 256), (14, 14, 512)],
    ),
    AudioResNetBackbone: (
        (201, 64, 1),
        [(51, 16, 64), (51, 16, 64), (26, 8, 128), (13, 4, 256), (13, 4, 512)],
    ),
}


@pytest.mark.parametrize("kind", SIZES)
def test_shapes_are_those_of_csol(kind):
    shape, maps = SIZES[kind]
    backbone = kind(width_multiplier=0.125)
    narrow = [(height, width, channels // 8) for height, width, channels in maps]
    found = backbone.with_stages(STAGES)(np.zeros((1, *shape), "float32"))
    assert [tuple(found[name].shape[1:]) for name in STAGES] == narrow
    assert backbone.feature_dim == 64
    first = backbone.get_layer("stem_conv").output
    size = backbone.get_layer("stem_conv").compute_output_shape
    assert first.shape[-1] == 8
    # The stem pads by 3 on each side.
    padded = (None, shape[0] + 6, shape[1] + 6, shape[2])
    assert size(padded)[1:3] == ((112, 112) if shape[0] == 224 else (101, 32))


@pytest.mark.parametrize("kind", SIZES)
def test_config_and_preset_come_back(kind, tmp_path):
    shape, _ = SIZES[kind]
    backbone = kind([1, 1, 1, 1], 0.0625, 2)
    again = kind.from_config(backbone.get_config())
    assert again.get_config() == backbone.get_config()
    backbone.save_to_preset(str(tmp_path / "preset"))
    loaded = kind.from_preset(str(tmp_path / "preset"))
    x = np.random.default_rng(0).normal(size=(1, *shape)).astype("float32")
    np.testing.assert_array_equal(backbone(x), loaded(x))
    # The stride is no weight: it may be chosen when loading.
    finer = kind.from_preset(str(tmp_path / "preset"), last_stride=1)
    assert -(-finer(x).shape[1] // 2) == loaded(x).shape[1]


@pytest.mark.parametrize("kind", SIZES)
def test_wrong_arguments_are_errors(kind):
    with pytest.raises(ValueError, match="last_stride"):
        kind(last_stride=3)
    with pytest.raises(ValueError, match="blocks"):
        kind(blocks=[1, 1, 1])
    with pytest.raises(ValueError, match="unknown stages"):
        kind([1, 1, 1, 1], 0.0625).with_stages(["stage5"])


def test_other_weights_are_refused_unchanged():
    weights = random_net().state_dict()
    backbone = ImageResNetBackbone([1] * 4, width_multiplier=0.25)
    before = [np.array(w) for w in backbone.get_weights()]
    with pytest.raises(ValueError, match=r"layer1\.1.*as ImageResNetBackbone\(blocks"):
        convert_torchvision(backbone, weights)
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    sound = AudioResNetBackbone(BLOCKS, 0.25)
    with pytest.raises(ValueError, match=r"conv1\.weight is \(16, 3, 7, 7\)"):
        convert_torchvision(sound, weights)
    # Its own shape is named as its argument is, and weights know the channels of it.
    of_sound = {**weights, "conv1.weight": weights["conv1.weight"][:, :1]}
    with pytest.raises(ValueError, match=r"layer1\.1.*spectrogram_shape=\("):
        convert_torchvision(AudioResNetBackbone([1] * 4, 0.25), of_sound)
    del of_sound["layer1.0.bn1.bias"]
    with pytest.raises(ValueError, match="no AudioResNetBackbone fits"):
        convert_torchvision(sound, of_sound)
    with pytest.raises(ValueError, match=r"stem\.0\.weight"):
        convert_torchvision(VideoResNetBackbone("3d", BLOCKS, 0.25), weights)
    weights["layer1.0.conv3.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match="bottlenecks"):
        infer_image_backbone_arguments(weights)
    weights = {k: v for k, v in random_net().state_dict().items() if "layer3" not in k}
    with pytest.raises(ValueError, match="layer3"):
        infer_image_backbone_arguments(weights)


def test_the_command_writes_a_backbone_preset(tmp_path):
    net = random_net()
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    out = tmp_path / "preset"
    assert main(["convert", str(tmp_path / "weights.pth"), "--out", str(out)]) == 0
    backbone = ImageResNetBackbone.from_preset(str(out))
    np.testing.assert_allclose(*outputs(net, backbone, (1, 64, 64, 3)), atol=1e-4)


def test_the_command_keeps_maps_fine_on_request(tmp_path, capsys):
    weights = random_net().state_dict()
    torch.save(weights, tmp_path / "picture.pth")
    first = weights["conv1.weight"]
    torch.save({**weights, "conv1.weight": first[:, :1]}, tmp_path / "sound.pth")
    for name, cls, channels in (
        ("picture", ImageResNetBackbone, 3),
        ("sound", AudioResNetBackbone, 1),
    ):
        run = ["convert", str(tmp_path / f"{name}.pth"), "--out", str(tmp_path / name)]
        assert main([*run, "--last-stride", "1"]) == 0
        backbone = cls.from_preset(str(tmp_path / name))
        assert backbone(np.zeros((1, 224, 224, channels))).shape[1:3] == (14, 14)
    assert main([*run, "--normalisation", "kinetics"]) == 2
    assert "is for video" in capsys.readouterr().err
