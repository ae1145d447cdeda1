"""Weights to start from that are the same on every backend."""

import numpy as np
from keras import ops


def draw_weights(rng, model):
    """Weights at random, of which those of batch norm's variances are positive."""
    return [
        w
        if w.dtype.kind in "iu"
        else np.abs(w) + noise(rng, w)
        if "variance" in v.path
        else noise(rng, w)
        for v, w in zip(model.weights, model.get_weights(), strict=True)
    ]


def noise(rng, like):
    """Numbers that are not small, of any sign where there are several dimensions."""
    return (0.1 * np.abs(rng.normal(size=like.shape)) + 0.01).astype("float32") * (
        rng.choice([-1, 1], like.shape) if like.ndim > 1 else 1
    )


def numbered(variables):
    """Arrays by path, with a number because twins have their sources' paths."""
    return {
        f"{position:03d}_{v.path}": ops.convert_to_numpy(v.value)
        for position, v in enumerate(variables)
    }


def differing(first, second):
    """Names of the arrays that are not the same, both in one order."""
    pairs = zip(first.items(), second.values(), strict=True)
    return [name for (name, a), b in pairs if not np.array_equal(a, b)]
