"""Reading torch state dicts, whatever they are nested in."""

import pathlib
import pickle
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

NESTED = ("state_dict", "model_state_dict", "model")
# torchvision's classifier, common names of heads, and the five heads of DCLR's
# released `view_resnet.py`.
HEADS = re.compile(r"(fc|head|mlp|classifier)[^.]*\.|f(vv|vs|vd|sv|dv)\.")
BLOCK = re.compile(r"(^|\.)layer\d\.")
NORM_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


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
    return dict(unnest(loaded))


def unnest(state_dict):
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            "`state_dict` must map names to arrays, got "
            f"{type(state_dict).__name__}; give `model.state_dict()`."
        )
    for key in NESTED:
        if isinstance(state_dict.get(key), Mapping):
            return unnest(state_dict[key])
    return state_dict


def select_encoder(state_dict, first_weight):
    """Split into the encoder's arrays by torchvision name, and ignored names.

    Args:
        state_dict: mapping from names to arrays, nested or not.
        first_weight: string. Name of the encoder's first weight; what stands
            before it is the prefix that is stripped.

    Returns:
        `(arrays, ignored)`: a dict from short name to array, and a list of names.

    Raises:
        ValueError: if there is no encoder of that name, or several.
    """
    state_dict = unnest(state_dict)
    prefix = _prefix(state_dict, first_weight)
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


def keras_layout(array):
    """A torch tensor or array as a float32 array with Keras' order of axes."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().float().numpy()
    array = np.asarray(array, "float32")
    if array.ndim < 4:
        return array
    return array.transpose(*range(2, array.ndim), 1, 0)


def misfits(targets, arrays):
    """What keeps arrays from targets, as at most three phrases.

    Args:
        targets: dict from torchvision name to Keras variable.
        arrays: dict from torchvision name to array.

    Returns:
        List of strings, empty if every array fits.
    """
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


def width_multiplier(widths):
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
        "times one multiplier; no backbone fits these weights."
    )


def _prefix(names, first_weight):
    prefixes = sorted(
        name.removesuffix(first_weight)
        for name in names
        if f".{name}".endswith(f".{first_weight}") and not BLOCK.search(name)
    )
    if len(prefixes) > 1:
        queries = [prefix for prefix in prefixes if "encoder_q." in prefix]
        prefixes = queries or prefixes
    if len(prefixes) == 1:
        return prefixes[0]
    if not prefixes:
        raise ValueError(
            f"`state_dict` has no {first_weight!r} under any prefix, it starts "
            f"with {list(names)[:3]}; give the weights of one torchvision ResNet."
        )
    raise ValueError(
        f"`state_dict` holds several encoders, under {prefixes}; give the names of "
        "one of them only."
    )


def _torch_shape(variable):
    shape = tuple(variable.shape)
    return (shape[-1], shape[-2], *shape[:-2]) if len(shape) >= 4 else shape
