import keras
import numpy as np
import pytest
import torch
from torch import nn

from keras_avrep.backbones import (
    VideoResNetBackbone,
    convert_torchvision,
    infer_backbone_arguments,
    load_torch_state_dict,
)
from keras_avrep.cli.main import main
from keras_avrep.export import export_litert, run_litert
from keras_avrep.models import VideoClassifier

WIDTHS = (16, 32, 64, 128)
BLOCKS = (2, 1, 1, 2)
# Parameters of torchvision's published models, less 205,200 of the classifier.
PUBLISHED = {"2plus1d": 31_300_125, "3d": 33_166_272, "mixed": 11_490_240}


def conv(inputs, outputs, kernel, stride=(1, 1, 1)):
    padding = tuple(size // 2 for size in kernel)
    return nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)


def norm_relu(width):
    return [nn.BatchNorm3d(width), nn.ReLU()]


def conv3x3(kind, inputs, outputs, mid, stride):
    if kind == "3d":
        return conv(inputs, outputs, (3, 3, 3), (stride,) * 3)
    spatial = (1, stride, stride)
    if kind == "no_temporal":
        return conv(inputs, outputs, (1, 3, 3), spatial)
    return nn.Sequential(
        conv(inputs, mid, (1, 3, 3), spatial),
        *norm_relu(mid),
        conv(mid, outputs, (3, 1, 1), (stride, 1, 1)),
    )


class Block(nn.Module):
    def __init__(self, kind, inputs, outputs, stride):
        super().__init__()
        mid = (inputs * outputs * 27) // (inputs * 9 + 3 * outputs)
        first = conv3x3(kind, inputs, outputs, mid, stride)
        self.conv1 = nn.Sequential(first, *norm_relu(outputs))
        second = conv3x3(kind, outputs, outputs, mid, 1)
        self.conv2 = nn.Sequential(second, nn.BatchNorm3d(outputs))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            time = 1 if kind == "no_temporal" else stride
            shortcut = conv(inputs, outputs, (1, 1, 1), (time, stride, stride))
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm3d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.conv2(self.conv1(x)) + shortcut)


class TorchVideoResNet(nn.Module):
    """Parameter names and arithmetic of torchvision's video ResNets."""

    def __init__(self, convolution, blocks=BLOCKS, widths=WIDTHS):
        super().__init__()
        if convolution == "2plus1d":
            mid = round(45 * widths[0] / 64)
            self.stem = nn.Sequential(
                conv(3, mid, (1, 7, 7), (1, 2, 2)),
                *norm_relu(mid),
                conv(mid, widths[0], (3, 1, 1)),
                *norm_relu(widths[0]),
            )
        else:
            first = conv(3, widths[0], (3, 7, 7), (1, 2, 2))
            self.stem = nn.Sequential(first, *norm_relu(widths[0]))
        inputs = widths[0]
        for stage, (depth, width) in enumerate(zip(blocks, widths, strict=True)):
            kind = convolution
            if convolution == "mixed":
                kind = "no_temporal" if stage else "3d"
            layer = []
            for block in range(depth):
                stride = 2 if stage and not block else 1
                layer.append(Block(kind, inputs, width, stride))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(inputs, 4)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.layer4(self.layer3(x))


def random_net(convolution, **kwargs):
    torch.manual_seed(0)
    net = TorchVideoResNet(convolution, **kwargs).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            # Below 1, so that activations do not grow from block to block.
            nn.init.uniform_(module.weight, 0.3, 0.8)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            for array in (module.bias, module.running_mean):
                nn.init.normal_(array, 0.0, 0.2)
        elif isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return net


def outputs(net, backbone, shape=(2, 9, 37, 42, 3)):
    video = np.random.default_rng(0).normal(size=shape).astype("float32")
    with torch.no_grad():
        expected = net(torch.from_numpy(video.transpose(0, 4, 1, 2, 3).copy()))
    found = keras.ops.convert_to_numpy(backbone(video, training=False))
    return found, expected.numpy().transpose(0, 2, 3, 4, 1)


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("convolution", ["2plus1d", "3d", "mixed"])
def test_outputs_equal_torch(convolution, fold):
    net = random_net(convolution)
    weights = net.state_dict()
    arguments = infer_backbone_arguments(weights)
    assert arguments == {
        "convolution": convolution,
        "blocks": list(BLOCKS),
        "width_multiplier": 0.25,
    }
    backbone = VideoResNetBackbone(**arguments, fold=fold)
    report = convert_torchvision(backbone, weights)
    assert report["ignored"] == ["fc.bias", "fc.weight"]
    assert report["loaded"] == len(backbone.weights)
    found, expected = outputs(net, backbone)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_longer_stem_is_recognised():
    net = random_net("3d")
    torch.manual_seed(1)
    net.stem[0] = conv(3, WIDTHS[0], (7, 7, 7), (1, 2, 2))
    net.stem.append(nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
    weights = net.state_dict()
    arguments = infer_backbone_arguments(weights)
    assert arguments["stem_frames"] == 7
    backbone = VideoResNetBackbone(**arguments, stem_pool=True)
    convert_torchvision(backbone, weights)
    found, expected = outputs(net, backbone)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)
    backbone = VideoResNetBackbone(**{**arguments, "stem_frames": 3})
    with pytest.raises(ValueError, match="stem_frames=7"):
        convert_torchvision(backbone, weights)


def parameter_count(backbone):
    return sum(int(np.prod(v.shape)) for v in backbone.trainable_variables)


@pytest.mark.parametrize("convolution", ["3d", "mixed"])
def test_published_parameter_counts(convolution):
    assert parameter_count(VideoResNetBackbone(convolution)) == PUBLISHED[convolution]


def test_full_size_r2plus1d_18():
    net = random_net("2plus1d", blocks=[2] * 4, widths=(64, 128, 256, 512))
    arguments = infer_backbone_arguments(net.state_dict())
    assert arguments["width_multiplier"] == 1.0
    backbone = VideoResNetBackbone(**arguments)
    assert parameter_count(backbone) == PUBLISHED["2plus1d"]
    convert_torchvision(backbone, net.state_dict())
    found, expected = outputs(net, backbone, (1, 8, 32, 32, 3))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "widths",
    [(64, 128, 256, 512), (4, 8, 16, 32), (8, 17, 33, 67), (1, 1, 3, 5)],
)
def test_width_multiplier_gives_the_widths_back(widths):
    net = TorchVideoResNet("mixed", [1] * 4, widths)
    arguments = infer_backbone_arguments(net.state_dict())
    backbone = VideoResNetBackbone(**arguments)
    convert_torchvision(backbone, net.state_dict())


def test_checkpoint_of_momentum_contrast(tmp_path):
    net = random_net("3d")
    state = {"module.queue": torch.zeros(2, 3), "module.queue_ptr": torch.zeros(1)}
    for name, value in net.state_dict().items():
        state[f"module.encoder_q.{name.replace('fc.', 'fvv.0.')}"] = value
        state[f"module.encoder_k.{name}"] = torch.zeros_like(value)
    path = tmp_path / "checkpoint.pth.tar"
    torch.save({"epoch": 3, "arch": "r3d_18", "state_dict": state}, path)
    weights = load_torch_state_dict(path)
    backbone = VideoResNetBackbone(**infer_backbone_arguments(weights))
    report = convert_torchvision(backbone, weights)
    ignored = report["ignored"]
    assert "module.queue" in ignored and "module.encoder_q.fvv.0.bias" in ignored
    np.testing.assert_allclose(*outputs(net, backbone), atol=1e-4)


def test_numpy_archive(tmp_path):
    path = tmp_path / "weights.npz"
    arrays = {k: v.numpy() for k, v in random_net("3d").state_dict().items()}
    np.savez(path, **arrays)
    weights = load_torch_state_dict(path)
    backbone = VideoResNetBackbone("3d", BLOCKS, width_multiplier=0.25)
    assert convert_torchvision(backbone, weights)["loaded"] == len(backbone.weights)


def test_other_backbone_is_refused_unchanged():
    weights = random_net("3d").state_dict()
    backbone = VideoResNetBackbone("3d", [1] * 4, width_multiplier=0.25)
    before = [np.array(w) for w in backbone.get_weights()]
    with pytest.raises(ValueError, match=r"layer1\.1.*blocks=\[2, 1, 1, 2\]"):
        convert_torchvision(backbone, weights)
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    narrow = VideoResNetBackbone("3d", BLOCKS, width_multiplier=0.125)
    with pytest.raises(ValueError, match=r"stem.0.weight is .*multiplier=0\.25"):
        convert_torchvision(narrow, weights)
    factorised = VideoResNetBackbone("2plus1d", BLOCKS, width_multiplier=0.25)
    with pytest.raises(ValueError, match=r"missing .*unexpected .*'3d'"):
        convert_torchvision(factorised, weights)


def test_other_middle_widths_fit_no_backbone():
    weights = random_net("2plus1d").state_dict()
    name = "layer1.0.conv1.0.0.weight"
    weights[name] = weights[name][:-1]
    backbone = VideoResNetBackbone("2plus1d", BLOCKS, width_multiplier=0.25)
    with pytest.raises(ValueError, match="no VideoResNetBackbone fits"):
        convert_torchvision(backbone, weights)


@pytest.mark.parametrize("drop", ["stem.", "layer3."])
def test_foreign_weights_are_refused(drop):
    weights = random_net("mixed").state_dict()
    weights = {k: v for k, v in weights.items() if not k.startswith(drop)}
    with pytest.raises(ValueError, match=drop):
        infer_backbone_arguments(weights)


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ending '\.h5'"):
        load_torch_state_dict("weights.h5")
    torch.save(random_net("3d"), tmp_path / "module.pt")
    with pytest.raises(ValueError, match=r"module\.pt is not a torch file of tensors"):
        load_torch_state_dict(tmp_path / "module.pt")


def torch_features(net, pixels, mean, std):
    video = ((pixels / 255 - mean) / std).astype("float32")
    with torch.no_grad():
        maps = net(torch.from_numpy(video.transpose(0, 4, 1, 2, 3).copy()))
    return maps.mean(dim=(2, 3, 4)).numpy()


def test_the_command_writes_a_backbone_preset(tmp_path, capsys):
    net = random_net("2plus1d")
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    out = tmp_path / "preset"
    assert main(["convert", str(tmp_path / "weights.pth"), "--out", str(out)]) == 0
    # From pixels, each way of normalising them, padding included.
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 9, 37, 42, 3))
    pixels = pixels.astype("float32")
    found = VideoClassifier.from_preset(str(out), num_classes=1).representation.predict(
        pixels, verbose=0
    )
    mean, std = [0.43216, 0.394666, 0.37645], [0.22803, 0.22145, 0.216989]
    np.testing.assert_allclose(found, torch_features(net, pixels, mean, std), atol=1e-4)
    imagenet = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = torch_features(net, pixels, *imagenet)
    assert np.abs(found - expected).max() > 1e-3
    run = ["convert", str(tmp_path / "weights.pth"), "--out", str(tmp_path / "other")]
    assert main([*run, "--normalisation", "imagenet"]) == 0
    other = VideoClassifier.from_preset(str(tmp_path / "other"), num_classes=1)
    found = other.representation.predict(pixels, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert main([*run, "--last-stride", "1"]) == 2
    assert "for pictures and sound" in capsys.readouterr().err


def test_a_renormalised_backbone_ships(tmp_path):
    backbone = VideoResNetBackbone(
        "2plus1d", [1] * 4, 0.0625, input_scale=[2.0, 0.5, 1.0]
    )
    classifier = VideoClassifier(backbone, 2)
    clips = np.random.default_rng(0).uniform(0, 255, (2, 2, 16, 16, 3))
    export_litert(classifier, tmp_path / "a.tflite", clip_shape=(2, 16, 16, 3))
    found, _ = run_litert(tmp_path / "a.tflite", clips)
    expected = classifier.representation.predict(clips, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
