"""Losses compute in float32 whatever the precision of the embeddings they get."""

import keras
import numpy as np
import pytest
from gradients import gradients
from keras import ops

from keras_avrep.losses import (
    nt_xent,
    region_nce,
    soft_region_contrast,
    temporal_nce,
    timestamp_retrieval,
)

RNG = np.random.default_rng(0)
BATCH, SLOTS, DIM = 6, 4, 32
MATCHED = RNG.integers(0, SLOTS, (BATCH, SLOTS)).astype("int32")
MASK = RNG.random((BATCH, SLOTS)) < 0.8
WEIGHTS = RNG.uniform(size=(BATCH, SLOTS, SLOTS)).astype("float32")
SHARE = RNG.uniform(size=(BATCH, SLOTS)).astype("float32")
TIMES = np.tile(4.0 * np.arange(SLOTS) + 2, (BATCH, 1)).astype("float32")

LOSSES = {
    "nt_xent": lambda a, b: nt_xent(a[:, 0], b[:, 0]),
    "region_nce": lambda a, b: region_nce(a, b, MATCHED, MASK),
    "region_nce in chunks": lambda a, b: region_nce(a, b, MATCHED, MASK, chunks=3),
    "soft_region_contrast": lambda a, b: soft_region_contrast(a, b, WEIGHTS, SHARE),
    "timestamp_retrieval": lambda a, b: timestamp_retrieval(
        a, b, WEIGHTS, SHARE, ops.transpose(WEIGHTS, (0, 2, 1)), SHARE
    ),
    "temporal_nce": lambda a, b: temporal_nce(a, b, TIMES, TIMES),
    "temporal_nce in chunks": lambda a, b: temporal_nce(
        a, b, TIMES, TIMES, match="interpolated", cross_chunks=3
    ),
}
# They take unit vectors and do not normalise.
OF_UNIT_VECTORS = ("soft_region_contrast", "timestamp_retrieval")


def embeddings(unit=False):
    """Two views of the same things, alike but not equal."""
    first = RNG.normal(size=(BATCH, SLOTS, DIM))
    second = first + RNG.normal(size=first.shape)
    if unit:
        first, second = (
            x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (first, second)
        )
    return first.astype("float32"), second.astype("float32")


def value(x):
    return float(ops.convert_to_numpy(x))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_half_precision_are_those_of_the_rounded_numbers(name, dtype):
    loss = LOSSES[name]
    exact = embeddings(name in OF_UNIT_VECTORS)
    half = [ops.cast(x, dtype) for x in exact]
    found = loss(*half)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    rounded = value(loss(*(ops.cast(x, "float32") for x in half)))
    # A similarity in half precision, over a temperature of 0.1, is off by more.
    assert value(found) == pytest.approx(rounded, rel=1e-5)
    assert value(found) == pytest.approx(value(loss(*exact)), rel=0.02)


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in OF_UNIT_VECTORS])
def test_long_and_short_embeddings_neither_overflow_nor_vanish(name):
    loss = LOSSES[name]
    exact = embeddings()
    expected = value(loss(*exact))
    # The square of a thousand is beyond float16, that of a thousandth next to 0.
    for scale in (1e3, 1e-3):

        def scaled(a, b, scale=scale):
            return loss(*(ops.cast(scale * x, "float16") for x in (a, b)))

        halves = [ops.convert_to_tensor(x) for x in exact]
        assert value(scaled(*halves)) == pytest.approx(expected, rel=0.02)
        slopes = gradients(scaled, *exact)
        assert all(np.isfinite(slope).all() for slope in slopes)
        assert any((slope != 0).any() for slope in slopes)
