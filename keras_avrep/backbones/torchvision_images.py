"""How torchvision names the weights of its ResNets for pictures."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from keras_avrep.backbones.torch_weights import (
    NORM_NAMES,
    select_encoder,
    width_multiplier,
)

FIRST_WEIGHT = "conv1.weight"
STEM_NAMES = {"stem_conv": "conv1", "stem_norm": "bn1"}
BLOCK_NAMES = {
    "conv": "conv{}",
    "norm": "bn{}",
    "shortcut": "downsample.0",
    "shortcut_norm": "downsample.1",
}


def infer_image_backbone_arguments(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the `ImageResNetBackbone` that torchvision weights fit.

    `last_stride` is not among them: weights are the same for each. torchvision's
    own networks have 2.

    Args:
        state_dict: mapping as for `convert_torchvision`.

    Returns:
        A dict with `"blocks"` and `"width_multiplier"`, and with `"image_shape"`
        only if the picture has other than 3 channels.

    Raises:
        ValueError: if the weights are of no ResNet of basic blocks.

    Example:
    ```python
    weights = load_torch_state_dict("resnet18.pth")
    infer_image_backbone_arguments(weights)["blocks"]  # [2, 2, 2, 2]
    ```
    """
    arrays, _ = select_encoder(state_dict, FIRST_WEIGHT)
    shapes = {name: tuple(value.shape) for name, value in arrays.items()}
    if "layer1.0.conv3.weight" in shapes:
        raise ValueError(
            "`state_dict` is of a ResNet of bottlenecks, which no ImageResNetBackbone "
            "has; give weights of resnet18 or resnet34."
        )
    try:
        widths = [shapes[f"layer{stage}.0.conv2.weight"][0] for stage in range(1, 5)]
    except KeyError as error:
        raise ValueError(
            f"`state_dict` is of no torchvision ResNet: it has no {error}; give "
            "weights of resnet18 or resnet34."
        ) from None
    arguments = {
        "blocks": [_depth(shapes, stage) for stage in range(1, 5)],
        "width_multiplier": width_multiplier(widths),
    }
    channels = shapes[FIRST_WEIGHT][1]
    if channels != 3:
        arguments["image_shape"] = (None, None, channels)
    return arguments


def targets(backbone) -> dict:
    """The variables of a backbone for pictures or sound by torchvision name."""
    found = {}
    for layer in backbone.layers:
        if not layer.weights:
            continue
        name = _torch_name(layer.name)
        if isinstance(layer, keras.layers.Conv2D):
            found[f"{name}.weight"] = layer.kernel
        else:
            for ours, theirs in NORM_NAMES.items():
                found[f"{name}.{theirs}"] = getattr(layer, ours)
    return found


def _torch_name(name: str) -> str:
    if name in STEM_NAMES:
        return STEM_NAMES[name]
    pattern = r"stage(\d)_block(\d+)_([a-z]+)(\d?)(\w*)"
    stage, block, kind, number, part = re.fullmatch(pattern, name).groups()
    place = BLOCK_NAMES[kind + part].format(number)
    return f"layer{stage}.{int(block) - 1}.{place}"


def _depth(shapes, stage):
    depth = 0
    while f"layer{stage}.{depth}.conv1.weight" in shapes:
        depth += 1
    return depth
