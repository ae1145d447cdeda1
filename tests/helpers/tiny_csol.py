"""The smallest localisers that have all of their parts, and what they train on."""

import keras
import numpy as np

from keras_avrep.backbones import AudioResNetBackbone, ImageResNetBackbone
from keras_avrep.models import CSOL
from keras_avrep.views import FrameViews

SIZE, SAMPLES, CLASSES = 32, 4000, 3


def parts(seed=0):
    """Arguments that every localiser has."""
    keras.utils.set_random_seed(seed)
    small = {"blocks": [1] * 4, "width_multiplier": 0.0625}
    return {
        "backbone": ImageResNetBackbone(**small),
        "audio_backbone": AudioResNetBackbone(**small),
        "views": FrameViews(SIZE, flip=0.0, seed=seed),
        "num_classes": CLASSES,
        "embedding_dim": 8,
        "duration": SAMPLES / 16000,
        "seed": seed,
    }


def build(seed=0, **kwargs):
    return CSOL(**{**parts(seed), **kwargs})


def draw_batch(rng, count=4):
    """What the loader gives."""
    return {
        "frame": rng.integers(0, 255, (count, 36, 36, 3), "uint8"),
        "audio": rng.uniform(-0.5, 0.5, (count, SAMPLES)).astype("float32"),
        "record": np.arange(count),
    }


def draw_inputs(rng, count=4):
    """What the model takes."""
    batch = draw_batch(rng, count)
    frames = batch["frame"][:, :SIZE, :SIZE].astype("float32")
    return {"frame": frames, "waveform": batch["audio"]}
