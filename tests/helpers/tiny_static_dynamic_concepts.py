"""The smallest StaticDynamicConcepts that has all of its parts, and its batches."""

import keras
import numpy as np

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import ConceptViews, StaticDynamicConcepts


def build(seed=0, size=16, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    sizes = {
        "num_static": 4,
        "num_dynamic": 3,
        "embedding_dim": 8,
        "hidden_dim": 16,
        "projection_dim": 8,
        "attention_dim": 8,
        "queue_size": 16,
        "top": 3,
    }
    return StaticDynamicConcepts(
        backbone,
        ConceptViews(size=size, flip=0.0, seed=seed),
        seed=seed,
        **{**sizes, **kwargs},
    )


def build_for_steps(seed=0):
    """Every term has a gradient, also with random weights and a batch of 4."""
    # Of a single place attention has no choice, hence no gradient.
    size = 32
    schedule = {"freeze_bank_for": 1, "local_after": 1}
    return build(seed, size, temperature=0.5, hidden_dim=32, top=None, **schedule)


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
    model.logit_queue.count.assign(12)
    model.batches_seen.assign(3)
