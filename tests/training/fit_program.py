"""Trains, predicts, saves and loads on one backend. Arguments: FOLDER OUT."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops
from resume_model import build

from keras_avrep.models import DCLR
from keras_avrep.training import load_checkpoint, save_checkpoint

STEPS = 2


def main(folder, out):
    model = compiled(seed=0)
    start = numbered(model.trainable_variables)
    batches = ((draw_batch(),) for _ in range(STEPS))
    history = model.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    clips = draw_batch()["video"][:, 0].astype("float32")
    features = model.predict(clips, verbose=0)
    model.save_to_preset(str(folder / "preset"))
    loaded = DCLR.from_preset(str(folder / "preset"))
    save_checkpoint(folder / "last.npz", model, STEPS, {"note": "x"})
    other = compiled(seed=1)
    was_different = differing(numbered(model.variables), numbered(other.variables))
    head = load_checkpoint(folder / "last.npz", other)
    report = {
        "losses": {name: values[0] for name, values in history.history.items()},
        "unmoved": unmoved(start, numbered(model.trainable_variables)),
        "valid": int(ops.convert_to_numpy(ops.sum(model.queue.valid()))),
        "features": {
            "shape": features.shape,
            "finite": bool(np.isfinite(features).all()),
            "spread": float(features.std(axis=0).max()),
        },
        "preset_differs": differing(numbered(model.weights), numbered(loaded.weights)),
        "predict_differs": int(np.sum(loaded.predict(clips, verbose=0) != features)),
        "checkpoint_head": head,
        "differed_before_load": len(was_different),
        "checkpoint_differs": differing(
            numbered(model.variables), numbered(other.variables)
        ),
    }
    out.write_text(json.dumps(report))


def compiled(seed):
    # One: a batch of keys that are all mined positives leaves a loss of 0.
    model = build(seed, top_k=1)
    model.compile(
        optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
        # The other backends are fast enough without, and compile slowly.
        jit_compile=keras.backend.backend() == "jax",
    )
    return model


def draw_batch():
    video = np.random.default_rng(0).integers(0, 255, (4, 2, 2, 20, 20, 3), "uint8")
    return {"video": video, "static": video[:, :, 0]}


def numbered(variables):
    """Arrays by path, with a number because twins have their sources' paths."""
    return {
        f"{position:03d}_{v.path}": ops.convert_to_numpy(v.value)
        for position, v in enumerate(variables)
    }


def unmoved(first, second):
    return sorted({*first} - {*differing(first, second)})


def differing(first, second):
    pairs = zip(first.items(), second.values(), strict=True)
    return [name for (name, a), b in pairs if not np.array_equal(a, b)]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
