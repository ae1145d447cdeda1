"""The smallest DCLR that has all of its parts, and what it trains on."""

import keras
import numpy as np

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews


def build(seed=0, hidden_dim=8, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return DCLR(
        backbone,
        DCLRViews(size=16, flip=0.0, blur=0.0, seed=seed),
        hidden_dim=hidden_dim,
        projection_dim=8,
        queue_size=16,
        seed=seed,
        **kwargs,
    )


def build_for_steps(seed=0):
    """Every term has a gradient, also with random weights and a batch of 4."""
    # One: a batch of keys that are all mined positives leaves a loss of 0.
    return build(seed, hidden_dim=32, momentum=0.9, temperature=0.5, top_k=1)


def draw_batch(rng):
    """What the loader gives."""
    video = rng.integers(0, 255, (4, 2, 2, 20, 20, 3), "uint8")
    return {"video": video, "static": video[:, :, 0]}


def draw_views(rng):
    """What `make_views` gives; backends draw different random numbers."""
    rgb = rng.normal(size=(4, 2, 2, 32, 32, 3)).astype("float32")
    static = np.repeat(rgb[:, :, :1], 2, axis=2)
    return {"rgb": rgb, "static": static, "dynamic": rgb - rgb[:, :, ::-1]}


def draw_clips(rng):
    """What the representation takes."""
    return rng.integers(0, 255, (4, 2, 20, 20, 3)).astype("float32")


def prepare(model):
    """State that a step needs beside random weights."""
    model.queue.count.assign(16)
