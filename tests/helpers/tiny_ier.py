"""The smallest IEr that has all of its parts, and what it trains on."""

import keras
import numpy as np

from keras_avrep.backbones import AudioResNetBackbone, ImageResNetBackbone
from keras_avrep.models import InterferenceEraser
from keras_avrep.views import FrameViews

SIZE, SAMPLES, CLASSES = 32, 4000, 3


def build(seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    small = {"blocks": [1] * 4, "width_multiplier": 0.0625}
    arguments = {
        "backbone": ImageResNetBackbone(**small),
        "audio_backbone": AudioResNetBackbone(**small),
        "views": FrameViews(SIZE, flip=0.0, seed=seed),
        "num_classes": CLASSES,
        "embedding_dim": 8,
        "duration": SAMPLES / 16000,
        "seed": seed,
    }
    return InterferenceEraser(**{**arguments, **kwargs})


def ready(seed=0, **kwargs):
    """A model after stage one: with prototypes, and steps that are not zero."""
    model = build(seed, **kwargs)
    rng = np.random.default_rng(seed)
    layers = [model.dictionary, model.audio_prototypes, model.identifier]
    for layer in filter(None, layers):
        layer.set_weights(
            [
                w if w.dtype.kind in "iu" else rng.normal(size=w.shape)
                for w in layer.get_weights()
            ]
        )
    return model


def draw_batch(rng, count=4):
    """What the loader gives, replay included."""
    sounds = rng.uniform(-0.5, 0.5, (2, count, SAMPLES)).astype("float32")
    return {
        "frame": rng.integers(0, 255, (count, 36, 36, 3), "uint8"),
        "audio": sounds[0],
        "record": np.arange(count),
        "replay_audio": sounds[1],
        "replay_record": np.arange(count)[::-1],
    }


def draw_inputs(rng, count=4):
    """What the model takes."""
    batch = draw_batch(rng, count)
    frames = batch["frame"][:, :SIZE, :SIZE].astype("float32")
    return {"frame": frames, "waveform": batch["audio"]}
