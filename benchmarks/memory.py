"""Peak memory of the region, step and concept contrasts against the size of the batch.

    KERAS_BACKEND=jax python benchmarks/memory.py

XLA says how much scratch memory a compiled loss with its gradient needs, exactly
and without running it. Logits grow with the square of the batch; held in chunks of
one video, and computed again for the gradient, what is held grows as the features
do. Writes `benchmarks/results/memory.json`. A minute on two CPU cores.
"""

import math
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np
from provenance import commit

from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.losses import (
    local_concept_contrast,
    region_nce,
    soft_region_contrast,
    temporal_nce,
)

RESULTS = Path(__file__).parent / "results" / "memory.json"
BATCHES = (16, 32, 64, 128)
REGIONS, STEPS, CONCEPTS, DIM = 8, (8, 16), 100, 128


def region_loss(batch, chunks):
    """Loss of two sets of regions, and their shapes."""
    matched = np.zeros((batch, REGIONS), "int32")

    def loss(query, target):
        return region_nce(query, target, matched, chunks=chunks)

    return loss, [(batch, REGIONS, DIM)] * 2


def soft_region_loss(batch, chunks):
    """Loss of regions with soft targets, and their shapes."""
    weights = np.ones((batch, REGIONS, REGIONS), "float32")
    share = np.ones((batch, REGIONS), "float32")

    def loss(query, key):
        return soft_region_contrast(query, key, weights, share, chunks=chunks)

    return loss, [(batch, REGIONS, DIM)] * 2


def temporal_loss(batch, chunks):
    """Loss of the steps of short and long clips, and their shapes."""
    short_times = np.tile(4.0 * np.arange(STEPS[0]) + 2, (batch, 1)).astype("float32")
    long_times = np.tile(4.0 * np.arange(STEPS[1]) + 2, (batch, 1)).astype("float32")

    def loss(short, long):
        return temporal_nce(short, long, short_times, long_times, cross_chunks=chunks)

    return loss, [(batch, steps, DIM) for steps in STEPS]


def concept_loss(batch, chunks):
    """Loss of the local features of concepts of two clips, and their shapes."""
    active = np.ones((batch, CONCEPTS), "float32")

    def loss(first, second):
        return local_concept_contrast(first, second, active, active, chunks=chunks)

    return loss, [(batch, CONCEPTS, DIM)] * 2


LOSSES = (region_loss, soft_region_loss, temporal_loss, concept_loss)


def scratch(make, batch, chunks):
    """Bytes of scratch memory, and of the features themselves."""
    loss, shapes = make(batch, chunks)
    arrays = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    compiled = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(*arrays).compile()
    features = sum(4 * math.prod(shape) for shape in shapes)
    return compiled.memory_analysis().temp_size_in_bytes, features


def growth(rows, name):
    """Exponent of the growth with the batch from the first to the last row."""
    first, last = rows[0], rows[-1]
    return math.log(last[name] / first[name]) / math.log(last["batch"] / first["batch"])


def measure(make):
    rows = []
    for batch in BATCHES:
        whole, features = scratch(make, batch, 1)
        chunked, _ = scratch(make, batch, batch)
        row = {"batch": batch, "features": features, "whole": whole, "chunked": chunked}
        print(make.__name__, row, flush=True)
        rows.append(row)
    names = ("features", "whole", "chunked")
    return {"rows": rows, "growth": {name: growth(rows, name) for name in names}}


def main():
    results = {
        "configuration": {
            "regions": REGIONS,
            "steps": STEPS,
            "concepts": CONCEPTS,
            "dim": DIM,
        },
        "versions": versions(),
        "commit": commit(),
        **{make.__name__: measure(make) for make in LOSSES},
    }
    write_json(RESULTS, results)
    for make in LOSSES:
        growths = results[make.__name__]["growth"]
        print(make.__name__, {k: round(v, 2) for k, v in growths.items()})


if __name__ == "__main__":
    main()
