"""The smallest localisers that have all of their parts, and what they train on."""

import keras
import numpy as np

from keras_avrep.backbones import AudioResNetBackbone, ImageResNetBackbone
from keras_avrep.models import CSOL
from keras_avrep.models.csol import MixtureTrainer
from keras_avrep.models.solo_trainers import (
    ClassificationTrainer,
    CorrespondenceTrainer,
)
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


def build_trainers():
    """One of each kind, on models of their own."""
    return {
        "correspondence": CorrespondenceTrainer(build(), optimizer()),
        "classification": ClassificationTrainer(build(), optimizer(), 4),
        "mixture": MixtureTrainer(build(), optimizer()),
    }


def optimizer():
    # Adam would make signs of numbers that are nearly zero.
    return keras.optimizers.SGD(0.01)


def draw_views(rng):
    """What `make_views` gives; backends draw different random numbers."""
    frames = rng.uniform(0, 255, (4, SIZE, SIZE, 3)).astype("float32")
    audio = rng.uniform(-0.5, 0.5, (4, SAMPLES)).astype("float32")
    return {"frame": frames, "waveform": audio, "label": np.array([0, 2, 1, 1])}


def state(trainer):
    """Variables by name, in an order that does not depend on the backend."""
    task = trainer.task
    layers = {**shared_layers(task), "scale_shift": task.scale_shift}
    if hasattr(trainer, "teacher"):
        twins = trainer.teacher.twins
        layers |= {"teacher": twins[0], "teacher_classifier": twins[1]}
    return named_variables(layers)


def shared_layers(task):
    """The layers of every localiser, by names that two networks do not share."""
    return {
        "image": task.backbone,
        "audio": task.audio_backbone,
        "image_head": task.image_head,
        "audio_head": task.audio_head,
        "av_map": task.av_map,
        "dictionary": task.dictionary,
        "image_classifier": task.image_classifier,
        "audio_classifier": task.audio_classifier,
    }


def named_variables(layers):
    return {
        f"{name}/{number:03d}_{v.path}": v
        for name, layer in layers.items()
        for number, v in enumerate(layer.weights)
    }
