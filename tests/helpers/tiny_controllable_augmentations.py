"""The smallest ControllableAugmentations with all of its parts, and its data."""

import keras
import numpy as np

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import (
    ControllableAugmentations,
    ControllableAugmentationsViews,
)


def build(seed=0, hidden_dim=8, views=None, **kwargs):
    keras.utils.set_random_seed(seed)
    arguments = {
        "num_local": 2,
        "projection_dim": 8,
        "critic_dim": 8,
        "region_stage": "stage2",
        "grid": (2, 2, 2),
        "time_stages": {"stage2": 1.0},
        **kwargs,
    }
    return ControllableAugmentations(
        VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625),
        views or ControllableAugmentationsViews(size=16, blur=0.5, seed=seed),
        hidden_dim=hidden_dim,
        seed=seed,
        **arguments,
    )


def build_for_steps(seed=0):
    """Every term has a gradient, also with random weights and a batch of 4."""
    return build(seed, hidden_dim=32, temperature=0.5)


def draw_batch(rng, videos=4):
    """What the loader gives."""
    return {
        "local": rng.integers(0, 255, (videos, 2, 4, 20, 20, 3), "uint8"),
        "global": rng.integers(0, 255, (videos, 4, 20, 20, 3), "uint8"),
        "local_start": np.tile([[1.0, 9.0]], (videos, 1)).astype("float32"),
        "local_stride": np.ones(videos, "float32"),
        "global_start": np.zeros(videos, "float32"),
        "global_stride": np.full(videos, 4.0, "float32"),
        "ordered": np.array([1.0, 0.0, 1.0, 1.0][:videos], "float32"),
    }


def draw_views(rng, videos=4):
    """What `make_views` gives; backends draw different random numbers."""
    times = np.tile([[1.0, 1, 4], [9.0, 1, 4], [0.0, 4, 4]], (videos, 1, 1))
    corners = rng.uniform(0, 0.4, (videos, 3, 2))
    lengths = rng.uniform(0.4, 0.6, (videos, 3, 2))
    flips = rng.integers(0, 2, (videos, 3, 1))
    records = np.concatenate([times, corners, lengths, flips], axis=-1)
    return {
        "clips": rng.normal(size=(videos, 3, 4, 16, 16, 3)).astype("float32"),
        "records": records.astype("float32"),
        "colours": rng.uniform(0, 0.4, (videos, 3, 6)).astype("float32"),
        "ordered": np.array([1.0, 0.0, 1.0, 1.0][:videos], "float32"),
    }


def draw_clips(rng):
    """What the representation takes."""
    return rng.integers(0, 255, (4, 4, 20, 20, 3)).astype("float32")


def prepare(model):
    """State that a step needs beside random weights; nothing here."""
