import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import ops


def recalibrate_batch_norm(
    model: keras.Model, batches: Iterable[Any], steps: int | None = None
) -> int:
    """Estimate the batch-norm statistics of a model anew from clips.

    Every `BatchNormalization` in the model, nested or frozen ones included,
    forgets its moving mean and variance; each becomes the plain average of the
    batch means and variances seen. Other weights stay as they are. Useful where
    training mixed inputs that inference does not see, such as the frozen and
    difference views of DCLR, or after averaging or converting weights.

    The forward passes are in training mode, so dropout is active. Batches count
    alike whatever their size. Of a layer called more than once in one forward
    pass, the later calls count more.

    Args:
        model: built `keras.Model` with batch norm, such as
            `task.representation`.
        batches: iterable of what the model takes, such as clips
            `(batch, T, H, W, 3)`.
        steps: int. Number of batches to use at most. Defaults to all of them.

    Returns:
        The number of batches used.

    Raises:
        ValueError: if there are no batches or the model has no batch norm.

    Example:
    ```python
    clips = (batch["video"][:, 0] for batch in loader)
    recalibrate_batch_norm(task.representation, clips, steps=100)
    ```

    Reference: precise batch norm, arXiv:2105.07576 section 3.
    """
    norms = batch_norms(model)
    if not norms:
        raise ValueError(
            f"`model` {model.name!r} has no BatchNormalization; give the model whose "
            "statistics are to be estimated."
        )
    used = 0
    with _restoring(norms):
        for batch in itertools.islice(batches, steps):
            if used == 0:
                _reset(norms)
            for norm in norms:
                # From 0 up, these momenta make the moving average a plain one.
                norm.momentum = used / (used + 1)
            model(batch, training=True)
            used += 1
    if used == 0:
        raise ValueError(
            "`batches` gave no batch, so there is nothing to estimate from; give at "
            "least one, and a `steps` of at least 1."
        )
    return used


def batch_norms(model: keras.layers.Layer) -> list[keras.layers.BatchNormalization]:
    """The batch-norm layers anywhere in a model, each once.

    Args:
        model: model or layer.

    Returns:
        A list of `keras.layers.BatchNormalization`.
    """
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def _reset(norms):
    # A momentum of 0 alone would keep a moving value that is not a number.
    for norm in norms:
        norm.moving_mean.assign(ops.zeros(norm.moving_mean.shape))
        norm.moving_variance.assign(ops.ones(norm.moving_variance.shape))


@contextlib.contextmanager
def _restoring(norms) -> Iterator[None]:
    """Unfreeze the layers, and give back momentum and trainable at the end."""
    momenta = [norm.momentum for norm in norms]
    frozen = [norm for norm in norms if not norm.trainable]
    # Setting a layer's `trainable` sets its variables', which may differ.
    variables = [(v, v.trainable) for norm in norms for v in norm.weights]
    try:
        for norm in frozen:
            norm.trainable = True
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for norm in frozen:
            norm.trainable = False
        for variable, trainable in variables:
            variable.trainable = trainable
