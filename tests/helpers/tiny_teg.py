"""The smallest TeG that has all of its parts, and what it trains on."""

import keras
import numpy as np

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.models import TeG, TeGViews


def build(seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    views = TeGViews(size=16, flip=0.0, blur=(0.0, 0.0), seed=seed)
    sizes = {"hidden_dim": 16, "projection_dim": 8, "projection_layers": 1}
    clips = {"long_frames": 8, "long_stride": 1}
    return TeG(backbone, views, **{**sizes, **clips, "seed": seed, **kwargs})


def build_for_steps(seed=0):
    """With everything that a backend could do its own way."""
    return build(
        seed,
        match="interpolated",
        cross_steps=3,
        cross_chunks=3,
        fine_temperature=0.5,
        persistent_temperature=0.5,
    )


def draw_batch(rng):
    """What the loader gives."""
    long = rng.integers(0, 255, (4, 8, 20, 20, 3), "uint8")
    return {"short": long[:, 2:6], "long": long, **numbers()}


def numbers():
    """Starts, strides and a looped video."""
    return {
        "short_start": np.array([2, 3, 11, 2], "float32"),
        "long_start": np.array([0, 0, 9, 0], "float32"),
        "short_stride": np.ones(4, "float32"),
        "long_stride": np.ones(4, "float32"),
        "looped": np.array([0, 0, 0, 1], "float32"),
    }


def draw_views(rng):
    """What `make_views` gives; backends draw different random numbers."""
    long = rng.normal(size=(4, 8, 16, 16, 3)).astype("float32")
    short = rng.normal(size=(4, 4, 16, 16, 3)).astype("float32")
    return {"short": short, "long": long, **numbers()}


def draw_clips(rng):
    """What the representation takes."""
    return rng.integers(0, 255, (4, 4, 20, 20, 3)).astype("float32")


def prepare(model):
    """State that a step needs beside random weights: none."""
