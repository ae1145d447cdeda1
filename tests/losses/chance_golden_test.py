"""Losses of the published batch of 1024 videos where all similarities are equal."""

import numpy as np
import pytest
from keras import ops

from keras_avrep.losses import nt_xent, region_nce, temporal_nce

BATCH = 1024


def value(x):
    return float(ops.convert_to_numpy(x))


def alike(*shape):
    return np.ones((BATCH, *shape, 2), "float32")


def test_global_and_persistent_terms_are_15_248():
    # Notes of ConST-CL, section 4, and of TeG, section 4.2: 2 ln 2047.
    assert value(nt_xent(alike(), alike())) == pytest.approx(15.248, abs=5e-4)


def test_the_region_term_is_9_010():
    # Note of ConST-CL, section 4: ln(1 + 8 * 1023).
    matched = np.zeros((BATCH, 8), "int32")
    loss = region_nce(alike(8), alike(8), matched, chunks=64)
    assert value(loss) == pytest.approx(9.010, abs=5e-4)


@pytest.mark.parametrize(
    ("negatives", "expected"), [("both", 9.704), ("within", 2.773)]
)
def test_the_fine_term_at_equal_rate(negatives, expected):
    # Note of TeG, section 4.1: ln(1023 * 16 + 16) and ln 16, eight short steps that
    # meet eight of sixteen long ones.
    long_times = np.tile(4.0 * np.arange(16) + 2, (BATCH, 1)).astype("float32")
    loss = temporal_nce(
        alike(8),
        alike(16),
        long_times[:, 5:13],
        long_times,
        negatives=negatives,
        symmetric=False,
        cross_chunks=64,
    )
    assert value(loss) == pytest.approx(expected, abs=5e-4)
