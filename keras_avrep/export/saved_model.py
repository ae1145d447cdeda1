import re
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from keras_avrep.export.inference_form import (
    REPRESENTATION,
    check_clip_shape,
    check_clips,
    fixed_part,
    output_name,
    require_tensorflow,
    write_signature,
)
from keras_avrep.export.serving_readme import served_names, write_model_readme
from keras_avrep.export.serving_warmup import write_warmup

WARMUP_REQUESTS = 4

CONFIG_ENTRY = """\
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
  }}
"""


def export_saved_model(
    model,
    folder: str | Path,
    *,
    name: str,
    clip_shape: Sequence[int],
    clips: np.ndarray | None = None,
    version: int = 1,
    part: str = REPRESENTATION,
) -> Path:
    """Write the representation, or another part, of a model for TensorFlow Serving.

    Writes `folder/NAME/VERSION/`, a SavedModel whose signature
    `serving_default` maps `video`, float32 pixels, to `embedding`, with any
    batch size; warm-up requests inside it; `folder/models.config`, which lists
    every model in the folder; `folder/NAME.md`, which describes this one; and
    `folder/README.md` with the commands and the descriptions of all. A version
    that is already there is replaced once the new one is complete.

    Runs on the TensorFlow and JAX backends.

    Args:
        model: a model with a `representation` from pixels `(B, T, H, W, 3)` in
            0..255 to features `(B, D)`.
        folder: path. Created when missing.
        name: string of letters, digits, `_`, `-` and `.`. The served name.
        clip_shape: `(time, height, width, 3)` of the clips, fixed in the graph.
        clips: uint8 or float array `(N, T, H, W, 3)`. The first 4 become the
            warm-up requests. Defaults to one black clip.
        version: int above 0. TF Serving serves the highest. Defaults to `1`.
        part: string. Which of the model's `inference_models` is written, such as
            the `"logits"` of a classifier, which then names the output. Defaults
            to `"representation"`.

    Returns:
        Path of the version directory.

    Raises:
        ValueError: if an argument is not as described.
        RuntimeError: on the torch backend.

    Example:
    ```python
    export_saved_model(model, "served", name="dclr", clip_shape=(16, 112, 112, 3))
    ```
    """
    check_name(name, version)
    if keras.backend.backend() != "jax":
        require_tensorflow("The SavedModel export")
    shape = check_clip_shape(clip_shape)
    warmup = np.zeros((1, *shape)) if clips is None else clips[:WARMUP_REQUESTS]
    warmup = check_clips(warmup, shape)
    fixed = fixed_part(model, shape, part=part)

    folder = Path(folder)
    with version_folder(folder, name, version) as (target, partial):
        write_signature(fixed, partial, output_name(part))
        write_warmup(partial, name, warmup)
    write_models_config(folder)
    write_model_readme(folder, name, version, fixed, part)
    return target


@contextmanager
def version_folder(folder: Path, name: str, version: int):
    """Where a served model goes, and where to write it before it is complete.

    A running server polls for numbered directories: one shows up complete.
    """
    target = folder / name / str(version)
    partial = target.with_name(f"{version}.partial")
    _remove(partial)
    yield target, partial
    _remove(target)
    partial.rename(target)


def check_name(name: str, version: int) -> None:
    """Refuse what cannot be the name or the version of a served model.

    Raises:
        ValueError: saying what a name or a version must be.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
        raise ValueError(
            f"`name` is {name!r}: use letters, digits, '_', '-' and '.' only, as it "
            "names files and a URL."
        )
    if not isinstance(version, int) or version < 1:
        raise ValueError(
            f"`version` is {version!r}: TF Serving takes whole numbers from 1."
        )


def _remove(folder):
    if folder.exists():
        shutil.rmtree(folder)


def write_models_config(folder) -> None:
    """Let TF Serving know the models of a folder, new ones and those of before."""
    (folder / "models.config").write_text(_models_config(folder))


def _models_config(folder):
    """The list of them, in TF Serving's own format."""
    names = served_names(folder)
    entries = "".join(CONFIG_ENTRY.format(name=name) for name in names)
    return f"model_config_list {{\n{entries}}}\n"
