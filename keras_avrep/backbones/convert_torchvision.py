import pathlib
import pickle
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_avrep.backbones.video_resnet import VideoResNetBackbone
from keras_avrep.layers import FoldedConv3D

FIRST_WEIGHT = "stem.0.weight"
NESTED = ("state_dict", "model_state_dict", "model")
# torchvision's classifier, common names of heads, and the five heads of DCLR's
# released `view_resnet.py`.
HEADS = re.compile(r"(fc|head|mlp|classifier)[^.]*\.|f(vv|vs|vd|sv|dv)\.")
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
NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def convert_torchvision(
    backbone: VideoResNetBackbone, state_dict: Mapping[str, Any]
) -> dict[str, Any]:
    """Load torchvision R3D, R(2+1)D or MC3 weights into a matching backbone.

    Nesting under `"state_dict"` and prefixes such as `module.` or `encoder_q.`
    are stripped; of a momentum-contrast checkpoint the query encoder is read.
    Nothing is assigned unless everything fits.

    Args:
        backbone: `VideoResNetBackbone` of the same convolution, blocks and
            width; `infer_backbone_arguments` finds them.
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
    arrays, ignored = _select(state_dict)
    targets = _targets(backbone)
    problems = _problems(targets, arrays)
    if problems:
        raise ValueError(
            f"`state_dict` does not fit this backbone: {'; '.join(problems)}; "
            f"{_advice(backbone, state_dict)}."
        )
    for name, variable in targets.items():
        variable.assign(_keras_layout(arrays[name]))
    return {"loaded": len(targets), "ignored": sorted(ignored)}


def infer_backbone_arguments(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the `VideoResNetBackbone` that torchvision weights fit.

    Args:
        state_dict: mapping as for `convert_torchvision`.

    Returns:
        A dict with `"convolution"`, `"blocks"` and `"width_multiplier"`, and
        with `"image_shape"` only if the video has other than 3 channels.

    Raises:
        ValueError: if the weights are of no torchvision video ResNet.

    Example:
    ```python
    weights = load_torch_state_dict("mc3_18.pth")
    infer_backbone_arguments(weights)["convolution"]  # "mixed"
    ```
    """
    arrays, _ = _select(state_dict)
    shapes = {name: tuple(value.shape) for name, value in arrays.items()}
    try:
        arguments = {
            "convolution": _convolution(shapes),
            "blocks": [_depth(shapes, stage) for stage in range(1, 5)],
            "width_multiplier": _width_multiplier(
                [shapes[f"layer{stage}.0.conv2.1.weight"][0] for stage in range(1, 5)]
            ),
        }
    except KeyError as error:
        raise ValueError(
            f"`state_dict` is of no torchvision video ResNet: it has no {error}; "
            "give weights of r3d_18, r2plus1d_18 or mc3_18."
        ) from None
    channels = shapes[FIRST_WEIGHT][1]
    if channels != 3:
        arguments["image_shape"] = (None, None, None, channels)
    return arguments


def load_torch_state_dict(path: str | pathlib.Path) -> dict[str, Any]:
    """Read a state dict from a torch file or a numpy archive.

    Args:
        path: path to a `.pt`, `.pth` or `.tar` file, read without running any
            code it holds, or to an `.npz` of arrays.

    Returns:
        A dict from name to torch tensor or numpy array.

    Raises:
        ImportError: if a torch file is given and torch is not installed.
        ValueError: if the ending is another one, or the file cannot be read or
            holds no tensors.

    Example:
    ```python
    weights = load_torch_state_dict("r3d_18.pth")
    weights["stem.0.weight"].shape  # (64, 3, 3, 7, 7)
    ```
    """
    path = pathlib.Path(path)
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return dict(archive)
    if path.suffix not in (".pt", ".pth", ".tar"):
        raise ValueError(
            f"{path} has the ending {path.suffix!r}; give a .pt, .pth, .tar or "
            ".npz file."
        )
    try:
        # The one reader of its own file format; nothing is computed with it.
        import torch
    except ImportError as error:
        raise ImportError(
            f"Reading {path} needs torch, which is not installed; run `pip install "
            "torch` or save the state dict as .npz."
        ) from error
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} is not a torch file of tensors only; save it again with "
            "`torch.save(model.state_dict(), path)`."
        ) from error
    return dict(_unnest(loaded))


def _unnest(state_dict):
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            "`state_dict` must map names to arrays, got "
            f"{type(state_dict).__name__}; give `model.state_dict()`."
        )
    for key in NESTED:
        if isinstance(state_dict.get(key), Mapping):
            return _unnest(state_dict[key])
    return state_dict


def _select(state_dict):
    """Split into the encoder's arrays by torchvision name, and ignored names."""
    state_dict = _unnest(state_dict)
    prefix = _prefix(state_dict)
    arrays, ignored = {}, []
    for name, value in state_dict.items():
        short = name.removeprefix(prefix)
        if name.endswith("num_batches_tracked"):
            continue
        if not name.startswith(prefix) or HEADS.match(short):
            ignored.append(name)
        else:
            arrays[short] = value
    return arrays, ignored


def _prefix(names):
    prefixes = sorted(
        name.removesuffix(FIRST_WEIGHT)
        for name in names
        if f".{name}".endswith(f".{FIRST_WEIGHT}")
    )
    if len(prefixes) > 1:
        queries = [prefix for prefix in prefixes if "encoder_q." in prefix]
        prefixes = queries or prefixes
    if len(prefixes) == 1:
        return prefixes[0]
    if not prefixes:
        raise ValueError(
            f"`state_dict` has no {FIRST_WEIGHT!r} under any prefix, it starts "
            f"with {list(names)[:3]}; give weights of a torchvision video ResNet."
        )
    raise ValueError(
        f"`state_dict` holds several encoders, under {prefixes}; give the names of "
        "one of them only."
    )


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


def _torch_shape(variable):
    shape = tuple(variable.shape)
    return (shape[4], shape[3], *shape[:3]) if len(shape) == 5 else shape


def _keras_layout(array):
    if hasattr(array, "detach"):
        array = array.detach().cpu().float().numpy()
    array = np.asarray(array, "float32")
    return array.transpose(2, 3, 4, 1, 0) if array.ndim == 5 else array


def _problems(targets, arrays):
    """What keeps arrays from targets, as at most three phrases."""
    differing = [
        f"{name} is {tuple(arrays[name].shape)} and must be {_torch_shape(variable)}"
        for name, variable in targets.items()
        if name in arrays and tuple(arrays[name].shape) != _torch_shape(variable)
    ]
    groups = {
        "missing": [name for name in targets if name not in arrays],
        "unexpected": [name for name in arrays if name not in targets],
        "of another shape": differing,
    }
    return [
        f"{len(names)} {what} ({', '.join(names[:3])}{', ...' * (len(names) > 3)})"
        for what, names in groups.items()
        if names
    ]


def _advice(backbone, state_dict):
    arguments = infer_backbone_arguments(state_dict)
    if all(getattr(backbone, name) == value for name, value in arguments.items()):
        return "no VideoResNetBackbone fits these weights"
    fitting = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"build it as VideoResNetBackbone({fitting})"


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


def _width_multiplier(widths):
    """The roundest multiplier from which all four widths follow."""
    pairs = list(zip(widths, (64, 128, 256, 512), strict=True))
    low = max((width - 0.5) / full for width, full in pairs)
    middle = (low + min((width + 0.5) / full for width, full in pairs)) / 2
    for digits in range(1, 6):
        multiplier = round(middle, digits)
        if all(max(1, round(full * multiplier)) == width for width, full in pairs):
            return multiplier
    raise ValueError(
        f"`state_dict` has stage widths {widths}, which are not 64, 128, 256 and 512 "
        "times one multiplier; no VideoResNetBackbone fits these weights."
    )
