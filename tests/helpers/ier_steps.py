"""Losses and gradients of IEr's own trainers on one backend. Argument: FILE.npz."""

import sys

import numpy as np
from keras import ops
from tiny_ier import CLASSES, SAMPLES, SIZE, build

from keras_avrep.models.ier import ErasingTrainer, MixingTrainer
from keras_avrep.models.ier.ier_phases import mixtures_of
from keras_avrep.models.solo_trainers import ClassificationTrainer
from keras_avrep.training import AdamWithL2

PARTS = (
    "backbone",
    "audio_backbone",
    "image_head",
    "audio_head",
    "av_map",
    "identifier",
    "dictionary",
    "audio_prototypes",
)


def adam():
    return AdamWithL2(1e-3)


def trainers(model):
    """Both trainers, with the classes 0, 1, 2, 0 of four clips with one source."""
    classifying = ClassificationTrainer(model, adam(), num_records=4)
    classifying.labels.assign([0, 1, 2, 0])
    mixing = MixingTrainer(model, adam(), mixtures_of(classifying, 15.0, seed=0))
    replay = mixtures_of(classifying, 15.0, seed=1)
    return {"mixing": mixing, "erasing": ErasingTrainer(model, adam(), replay)}


def step_arrays():
    rng = np.random.default_rng(0)
    model = build()
    for name in PARTS:
        # A model's order of weights differs by backend, and two networks have the
        # same paths.
        for variable in sorted(getattr(model, name).weights, key=lambda v: v.path):
            variable.assign(_drawn(rng, variable))
    views = _views(rng)
    arrays = {}
    for kind, trainer in trainers(model).items():
        # Random draws differ by backend: the batch is its own views.
        trainer.make_views = lambda batch: batch
        total, losses, gradients = trainer.loss_gradients(views[kind])
        found = {"total": total, **losses}
        for variable, gradient in zip(
            trainer.trainable_variables, gradients, strict=True
        ):
            number = sum(variable.path in name for name in found)
            found[f"{variable.path} {number}"] = gradient
        for name, value in found.items():
            arrays[f"{kind} {name}"] = ops.convert_to_numpy(value)
    return arrays


def _drawn(rng, variable):
    old = ops.convert_to_numpy(variable.value)
    if old.dtype.kind in "iu":
        return old
    drawn = (0.1 * np.abs(rng.normal(size=old.shape)) + 0.01).astype("float32")
    if old.ndim > 1:
        return drawn * rng.choice([-1, 1], old.shape)
    return drawn + np.abs(old) if "variance" in variable.path else drawn


def _views(rng):
    sounds = rng.uniform(-0.5, 0.5, (3, 4, SAMPLES)).astype("float32")
    classes = rng.integers(0, 2, (2, 4, CLASSES)).astype("float32")
    views = {
        "mixing": {"waveform": sounds[0], "classes": classes[0]},
        "erasing": {
            "frame": rng.uniform(0, 255, (4, SIZE, SIZE, 3)).astype("float32"),
            "waveform": sounds[1],
            "replay_waveform": sounds[2],
            "replay_classes": classes[1],
        },
    }
    return {
        kind: {name: ops.convert_to_tensor(x) for name, x in of.items()}
        for kind, of in views.items()
    }


if __name__ == "__main__":
    np.savez(sys.argv[1], **step_arrays())
