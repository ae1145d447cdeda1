"""Everything a run needs to go on, in one file, complete or not at all."""

import json
import os
from zipfile import BadZipFile

import numpy as np

from keras_avrep.data.files import replacing


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, with the reason in one sentence."""


def save_checkpoint(path, model, step, extra=None) -> None:
    """Write weights, twins, queues, seeds, optimiser and step atomically.

    The loader's position needs no room of its own: it is a function of the step.

    Args:
        path: `.npz` file.
        model: compiled model whose optimiser is built.
        step: int. Train steps done.
        extra: JSON-serialisable dict. Defaults to `None`.

    Example:
    ```python
    save_checkpoint("last.npz", model, step=100)
    step, extra = load_checkpoint("last.npz", model)
    ```
    """
    _sync(model)
    content = {f"{i:05d}": _to_numpy(v) for i, v in enumerate(_variables(model))}
    head = {"step": int(step), "extra": extra or {}, "names": _names(model)}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, head=np.asarray(json.dumps(head)), **content)
        file.flush()
        # A power cut must not leave a new name on old blocks.
        os.fsync(file.fileno())


def load_checkpoint(path, model) -> tuple[int, dict]:
    """Restore what `save_checkpoint` wrote into an equally built model.

    Args:
        path: `.npz` file.
        model: compiled model; its optimiser is built if it is not.

    Returns:
        The step and the extra dict.

    Raises:
        CheckpointError: if the file is damaged or of another model.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    head, values = _read(path)
    variables = _variables(model)
    if head["names"] != _names(model) or len(values) != len(variables):
        raise CheckpointError(
            f"{path} belongs to a model of another configuration; use the arguments "
            "it was trained with, or another run folder."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return head["step"], head["extra"]


def read_step(path) -> int:
    """The step of a checkpoint, without a model."""
    return _read(path, values=False)[0]["step"]


def _read(path, values=True):
    try:
        with np.load(path) as content:
            head = json.loads(str(content["head"]))
            count = len(content.files) - 1 if values else 0
            return head, [content[f"{i:05d}"] for i in range(count)]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: {error}."
        ) from None


def _variables(model):
    # `variables`, not `weights`: seed generators are state that matters.
    metrics = {id(v) for v in model.metrics_variables}
    own = [v for v in model.variables if id(v) not in metrics]
    known = {id(v) for v in own}
    return own + [v for v in model.optimizer.variables if id(v) not in known]


def _names(model):
    # Shapes as well: names alone do not tell widths apart.
    return [f"{v.name}{tuple(v.shape)}" for v in _variables(model)]


def _to_numpy(variable):
    from keras import ops

    return ops.convert_to_numpy(variable.value)


def _sync(model):
    # On JAX, `fit` keeps the state outside the variables until asked.
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
