"""Everything a run needs to go on, in one file, complete or not at all."""

import json
import os
import threading
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, with the reason in one sentence."""


class CheckpointWriter:
    """Writes checkpoints of a run without waiting for the disk.

    A busy disk may take long to say that a few megabytes are safe. Until it has, the
    checkpoint before stays in place, and training goes on.

    Args:
        path: `.npz` file.

    Example:
    ```python
    writer = CheckpointWriter("last.npz")
    writer.save(model, step=100)
    writer.wait()
    step, extra = load_checkpoint("last.npz", model)
    ```
    """

    def __init__(self, path):
        self.path = Path(path)
        self._thread = None
        self._error = None
        # What runs that were killed while they wrote left behind.
        for part in self.path.parent.glob(f".{self.path.stem}.*.part.npz"):
            if part != self._temporary:
                part.unlink(missing_ok=True)

    @property
    def _temporary(self):
        return self.path.with_name(f".{self.path.stem}.{os.getpid()}.part.npz")

    def save(self, model, step, extra=None) -> None:
        """Write what the state is now; arguments as of `save_checkpoint`.

        Raises:
            OSError: if this one, or the one before, could not be written.
        """
        self.wait()
        temporary = self._temporary
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, _as_list(model), step, extra)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        # No daemon: it comes to its end before the program does.
        self._thread = threading.Thread(target=self._put_in_place, args=(temporary,))
        self._thread.start()

    def wait(self) -> None:
        """Until the last one is in place.

        Raises:
            OSError: if it could not be written.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _put_in_place(self, temporary):
        try:
            # A power cut must not leave a new name on old blocks.
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            self._error = error
            temporary.unlink(missing_ok=True)


def save_checkpoint(path, model, step, extra=None) -> None:
    """Write weights, twins, queues, seeds, optimiser and step atomically.

    The loader's position needs no room of its own: it is a function of the step.

    Args:
        path: `.npz` file.
        model: compiled model whose optimiser is built, or a list of them, which
            may share weights.
        step: int. Train steps done.
        extra: JSON-serialisable dict. Defaults to `None`.

    Example:
    ```python
    save_checkpoint("last.npz", model, step=100)
    step, extra = load_checkpoint("last.npz", model)
    ```
    """
    writer = CheckpointWriter(path)
    writer.save(model, step, extra)
    writer.wait()


def _write(path, models, step, extra):
    _sync(models)
    variables = _variables(models)
    content = {f"{i:05d}": _to_numpy(v) for i, v in enumerate(variables)}
    head = {"step": int(step), "extra": extra or {}, "names": _names(variables)}
    with open(path, "wb") as file:
        np.savez(file, head=np.asarray(json.dumps(head)), **content)


def load_checkpoint(path, model) -> tuple[int, dict]:
    """Restore what `save_checkpoint` wrote into an equally built model.

    Args:
        path: `.npz` file.
        model: compiled model, or a list of them; optimisers that are not built
            are built.

    Returns:
        The step and the extra dict.

    Raises:
        CheckpointError: if the file is damaged or of another model.

    Example:
    ```python
    model.compile("adam")
    step, extra = load_checkpoint("runs/first/checkpoints/last.npz", model)
    ```
    """
    models = _as_list(model)
    for one in models:
        if not one.optimizer.built:
            one.optimizer.build(one.trainable_variables)
    head, values = _read(path)
    variables = _variables(models)
    if head["names"] != _names(variables) or len(values) != len(variables):
        raise CheckpointError(
            f"{path} belongs to a model of another configuration; use the arguments "
            "it was trained with, or another run folder."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return head["step"], head["extra"]


def resume(path, model, steps, show=print) -> tuple[int, dict]:
    """Restore what a run has done so far, if it has begun, and say so.

    Args:
        path: `.npz` file, which need not be there.
        model: as of `load_checkpoint`.
        steps: int. How many the run is to have in the end.
        show: called with one line of text. Defaults to `print`.

    Returns:
        The step and the extra dict; 0 and an empty one of a run that begins.

    Raises:
        CheckpointError: if the file is damaged or of another model.
        ValueError: if more steps have been done already.

    Example:
    ```python
    done, extra = resume("runs/first/checkpoints/last.npz", model, steps=1000)
    model.fit(batches_from(done), steps_per_epoch=1000 - done)
    ```
    """
    path = Path(path)
    if not path.exists():
        return 0, {}
    done, extra = load_checkpoint(path, model)
    if done > steps:
        raise ValueError(
            f"{path.parents[1]} has been trained for {done} steps, more than the "
            f"{steps} asked for; ask for at least so many, or use another folder."
        )
    show(f"resumed at step {done} of {steps}")
    return done, extra


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
            f"{path} cannot be read as a checkpoint: {error}. Remove it to start again."
        ) from None


def _as_list(model):
    return list(model) if isinstance(model, (list, tuple)) else [model]


def _variables(models):
    """Every variable that is state, each once, those of models first."""
    metrics = {id(v) for model in models for v in model.metrics_variables}
    found = {}
    # `variables`, not `weights`: seed generators are state that matters.
    for model in models:
        found |= {id(v): v for v in model.variables if id(v) not in metrics}
    for model in models:
        found |= {id(v): v for v in model.optimizer.variables}
    return list(found.values())


def _names(variables):
    # Shapes as well: names alone do not tell widths apart.
    return [f"{v.name}{tuple(v.shape)}" for v in variables]


def _to_numpy(variable):
    from keras import ops

    return ops.convert_to_numpy(variable.value)


def _sync(models):
    # On JAX, `fit` keeps the state outside the variables until asked.
    for model in models:
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()
