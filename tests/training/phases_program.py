"""Trains localisers in all of their phases; run twice to resume.

Arguments: NAMES VIDEOS OUT, and maybe the name of a phase at whose end it kills itself.
`tiny_NAME` in `tests/helpers` builds the model of each of the names, which commas
separate; its run is in OUT/NAME.
"""

import functools
import importlib
import os
import signal
import sys
from pathlib import Path

import keras
from tiny_csol import SIZE

from keras_avrep.data import moment_set, scan_folder
from keras_avrep.training import make_deterministic, train_phases


def main(name, videos, out, last=()):
    model = importlib.import_module(f"tiny_{name}").build()
    solo, mixed = (
        moment_set(
            scan_folder(f"{videos}/{kind}").records,
            model.training_sampler(),
            size=36,
            view_size=SIZE,
            batch_size=3,
        )
        for kind in ("solo", "duet")
    )
    schedule = {"solo_epochs": 2, "mixed_epochs": 1, "classification_passes": 1}
    if name == "ier":
        schedule |= {"first_mixing": 2, "exclude_same_cluster": True}
        schedule |= {"shared_optimizer": True}
    phases = model.training_phases(solo, mixed, **schedule)
    for phase in phases:
        # Tracing takes longer than a few small steps, but on JAX, which compiles
        # every operation by itself then.
        phase.trainer.run_eagerly = keras.backend.backend() != "jax"

    def ended(phase):
        print(f"ended: {phase.name}.", flush=True)
        if phase.name in last:
            os.kill(os.getpid(), signal.SIGKILL)

    result = train_phases(
        phases,
        out,
        clips_per_step=3,
        checkpoint_every=3,
        log_every=1,
        after_phase=ended,
        show=functools.partial(print, flush=True),
    )
    print("terms", *sorted(result["losses"]))


if __name__ == "__main__":
    make_deterministic()
    names, videos, out, *last = sys.argv[1:]
    for name in names.split(","):
        main(name, videos, Path(out) / name, last)
