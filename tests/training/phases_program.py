"""Trains a localiser in all of its phases; run twice to resume.

Arguments: NAME VIDEOS OUT, and maybe the name of a phase at whose end it kills itself.
`tiny_NAME` in `tests/helpers` builds the model.
"""

import functools
import importlib
import os
import signal
import sys

import keras
from tiny_csol import SIZE

from keras_avrep.data import moment_set, scan_folder
from keras_avrep.training import make_deterministic, train_phases

name, videos, out, *last = sys.argv[1:]
make_deterministic()
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
    # Tracing takes longer than a few small steps, but on JAX, which compiles every
    # operation by itself then.
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
