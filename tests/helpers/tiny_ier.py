"""The smallest IEr that has all of its parts, and what it trains on."""

import numpy as np
from tiny_csol import (
    CLASSES,
    SAMPLES,
    SIZE,
    named_variables,
    optimizer,
    parts,
    shared_layers,
)

from keras_avrep.models import InterferenceEraser
from keras_avrep.models.ier import ErasingTrainer, MixingTrainer
from keras_avrep.models.ier.ier_phases import mixtures_of
from keras_avrep.models.solo_trainers import ClassificationTrainer


def build(seed=0, **kwargs):
    return InterferenceEraser(**{**parts(seed), **kwargs})


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


def build_trainers(make=build, optimizer=optimizer):
    """One of each kind that IEr has of its own, with the classes of four solos."""
    trainers = {}
    for kind in ("mixing", "erasing"):
        model = make()
        classifying = ClassificationTrainer(model, optimizer(), num_records=4)
        classifying.labels.assign([0, 1, 2, 0])
        mixtures = mixtures_of(classifying, 15.0, seed=0)
        trainers[kind] = (
            MixingTrainer(model, optimizer(), mixtures, correspondence=0.5)
            if kind == "mixing"
            else ErasingTrainer(model, optimizer(), mixtures)
        )
    return trainers


def draw_views(rng):
    """What `make_views` gives; backends draw different random numbers."""
    sounds = rng.uniform(-0.5, 0.5, (2, 4, SAMPLES)).astype("float32")
    classes = rng.integers(0, 2, (2, 4, CLASSES)).astype("float32")
    return {
        "frame": rng.uniform(0, 255, (4, SIZE, SIZE, 3)).astype("float32"),
        "waveform": sounds[0],
        "mixture": sounds[1],
        "classes": classes[0],
        "replay_waveform": sounds[1],
        "replay_classes": classes[1],
    }


def state(trainer):
    """Variables by name, in an order that does not depend on the backend."""
    task = trainer.task
    own = {"identifier": task.identifier, "audio_prototypes": task.audio_prototypes}
    return named_variables({**shared_layers(task), **own})
