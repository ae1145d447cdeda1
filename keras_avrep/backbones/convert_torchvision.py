import re
from collections.abc import Mapping
from typing import Any

from keras_avrep.backbones import torchvision_images
from keras_avrep.backbones.audio_resnet import AudioResNetBackbone
from keras_avrep.backbones.image_resnet import ImageResNetBackbone
from keras_avrep.backbones.torch_weights import (
    NORM_NAMES,
    keras_layout,
    misfits,
    select_encoder,
    width_multiplier,
)
from keras_avrep.backbones.torchvision_images import infer_image_backbone_arguments
from keras_avrep.backbones.video_resnet import VideoResNetBackbone
from keras_avrep.layers import FoldedConv3D

FIRST_WEIGHT = "stem.0.weight"
STEM_NAMES = {
    "stem_conv": "stem.0",
    "stem_spatial": "stem.0",
    "stem_spatial_norm": "stem.1",
    "stem_temporal": "stem.3",
}
BLOCK_NAMES = {
    "conv": "conv{}.0",
    "conv_spatial": "conv{}.0.0",
    "conv_spatial_norm": "conv{}.0.1",
    "conv_temporal": "conv{}.0.3",
    "norm": "conv{}.1",
    "shortcut": "downsample.0",
    "shortcut_norm": "downsample.1",
}


def convert_torchvision(
    backbone: VideoResNetBackbone | ImageResNetBackbone | AudioResNetBackbone,
    state_dict: Mapping[str, Any],
) -> dict[str, Any]:
    """Load torchvision ResNet weights, of videos or pictures, into a backbone.

    Nesting under `"state_dict"` and prefixes such as `module.` or `encoder_q.`
    are stripped; of a momentum-contrast checkpoint the query encoder is read.
    Nothing is assigned unless everything fits.

    Args:
        backbone: `VideoResNetBackbone` for R3D, R(2+1)D or MC3,
            `ImageResNetBackbone` or, with one channel, `AudioResNetBackbone` for
            ResNet-18 or 34, of the same blocks and width;
            `infer_backbone_arguments` and `infer_image_backbone_arguments` find
            them.
        state_dict: mapping from torchvision's parameter names to numpy arrays
            or torch tensors.

    Returns:
        A dict with `"loaded"`, the number of arrays assigned, and `"ignored"`,
        the sorted names of heads and of what lies outside the encoder (but for
        batch counters, `num_batches_tracked`, which are not listed).

    Raises:
        ValueError: if names are missing or unexpected, or shapes differ.

    Example:
    ```python
    weights = load_torch_state_dict("r2plus1d_18.pth")
    backbone = VideoResNetBackbone(**infer_backbone_arguments(weights))
    convert_torchvision(backbone, weights)["ignored"]  # ["fc.bias", "fc.weight"]
    ```
    """
    of_video = isinstance(backbone, VideoResNetBackbone)
    first_weight = FIRST_WEIGHT if of_video else torchvision_images.FIRST_WEIGHT
    arrays, ignored = select_encoder(state_dict, first_weight)
    targets = _targets(backbone) if of_video else torchvision_images.targets(backbone)
    problems = misfits(targets, arrays)
    if problems:
        raise ValueError(
            f"`state_dict` does not fit this backbone: {'; '.join(problems)}; "
            f"{_advice(backbone, state_dict)}."
        )
    for name, variable in targets.items():
        variable.assign(keras_layout(arrays[name]))
    return {"loaded": len(targets), "ignored": sorted(ignored)}


def infer_backbone_arguments(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the `VideoResNetBackbone` that torchvision weights fit.

    Args:
        state_dict: mapping as for `convert_torchvision`.

    Returns:
        A dict with `"convolution"`, `"blocks"` and `"width_multiplier"`, with
        `"stem_frames"` only if it is not 3, and with `"image_shape"` only if the
        video has other than 3 channels. Weights do not tell of `stem_pool`.

    Raises:
        ValueError: if the weights are of no torchvision video ResNet.

    Example:
    ```python
    weights = load_torch_state_dict("mc3_18.pth")
    infer_backbone_arguments(weights)["convolution"]  # "mixed"
    ```
    """
    arrays, _ = select_encoder(state_dict, FIRST_WEIGHT)
    shapes = {name: tuple(value.shape) for name, value in arrays.items()}
    try:
        arguments = {
            "convolution": _convolution(shapes),
            "blocks": [_depth(shapes, stage) for stage in range(1, 5)],
            "width_multiplier": width_multiplier(
                [shapes[f"layer{stage}.0.conv2.1.weight"][0] for stage in range(1, 5)]
            ),
        }
    except KeyError as error:
        raise ValueError(
            f"`state_dict` is of no torchvision video ResNet: it has no {error}; "
            "give weights of r3d_18, r2plus1d_18 or mc3_18."
        ) from None
    channels, frames = shapes[FIRST_WEIGHT][1:3]
    if arguments["convolution"] != "2plus1d" and frames != 3:
        arguments["stem_frames"] = frames
    if channels != 3:
        arguments["image_shape"] = (None, None, None, channels)
    return arguments


def _targets(backbone):
    """The backbone's variables by torchvision name."""
    targets = {}
    for layer in backbone.layers:
        if not layer.weights:
            continue
        name = _torch_name(layer.name, backbone.convolution)
        if isinstance(layer, FoldedConv3D):
            targets[f"{name}.weight"] = layer.kernel
        else:
            for ours, theirs in NORM_NAMES.items():
                targets[f"{name}.{theirs}"] = getattr(layer, ours)
    return targets


def _torch_name(name, convolution):
    if name == "stem_norm":
        return "stem.4" if convolution == "2plus1d" else "stem.1"
    if name in STEM_NAMES:
        return STEM_NAMES[name]
    pattern = r"stage(\d)_block(\d+)_([a-z]+)(\d?)(\w*)"
    stage, block, kind, number, part = re.fullmatch(pattern, name).groups()
    place = BLOCK_NAMES[kind + part].format(number)
    return f"layer{stage}.{int(block) - 1}.{place}"


def _advice(backbone, state_dict):
    if isinstance(backbone, VideoResNetBackbone):
        arguments = {"stem_frames": 3, **infer_backbone_arguments(state_dict)}
    else:
        arguments = infer_image_backbone_arguments(state_dict)
    if isinstance(backbone, AudioResNetBackbone) and "image_shape" in arguments:
        arguments["spectrogram_shape"] = arguments.pop("image_shape")
    kind = type(backbone).__name__
    if all(_has(backbone, name, value) for name, value in arguments.items()):
        return f"no {kind} fits these weights"
    fitting = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"build it as {kind}({fitting})"


def _has(backbone, name, value):
    """Whether an argument is that of a backbone; weights know channels of shapes."""
    own = getattr(backbone, name)
    return own[-1] == value[-1] if name.endswith("_shape") else own == value


def _convolution(shapes):
    if "layer1.0.conv1.0.0.weight" in shapes:
        return "2plus1d"
    times = [shapes[f"layer{stage}.0.conv1.0.weight"][2] for stage in range(1, 5)]
    kinds = {(3, 3, 3, 3): "3d", (3, 1, 1, 1): "mixed"}
    if tuple(times) not in kinds:
        raise ValueError(
            f"`state_dict` has kernels of {times} frames in its four stages, which "
            "no VideoResNetBackbone has; give weights of r3d_18, r2plus1d_18 or mc3_18."
        )
    return kinds[tuple(times)]


def _depth(shapes, stage):
    depth = 0
    while f"layer{stage}.{depth}.conv1.1.weight" in shapes:
        depth += 1
    return depth
