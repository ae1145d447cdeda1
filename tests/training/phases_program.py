"""Trains CSOL in all of its phases; run twice to resume. Arguments: VIDEOS OUT."""

import functools
import sys

from tiny_csol import SIZE, build

from keras_avrep.data import moment_set, scan_folder
from keras_avrep.training import make_deterministic, train_phases

videos, out = sys.argv[1:3]
make_deterministic()
model = build()
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
phases = model.training_phases(
    solo, mixed, solo_epochs=2, mixed_epochs=1, classification_passes=1
)
for phase in phases:
    # Tracing takes longer than a few small steps.
    phase.trainer.run_eagerly = True
train_phases(
    phases,
    out,
    clips_per_step=3,
    checkpoint_every=3,
    log_every=1,
    show=functools.partial(print, flush=True),
)
