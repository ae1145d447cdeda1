"""Trains systems a few steps each; run again to resume. Arguments: VIDEOS OUT NAME...

`tiny_NAME` in `tests/helpers` builds each.
"""

import functools
import importlib
import sys

import keras

from keras_avrep.data import scan_folder
from keras_avrep.training import make_deterministic, pretrain

# Its contexts of three steps need longer clips than the others.
FRAMES = {"const_cl": 6}

videos, out, *names = sys.argv[1:]
make_deterministic()
for name in names:
    model = importlib.import_module(f"tiny_{name}").build()
    print(f"model {name}", flush=True)
    pretrain(
        model,
        scan_folder(videos).records,
        f"{out}/{name}",
        sampler=model.training_sampler(
            {"num_frames": FRAMES.get(name, 4), "stride": 1}
        ),
        steps=6,
        # More than the largest view.
        size=26,
        batch_size=4,
        optimizer=keras.optimizers.Adam(1e-3),
        warmup_steps=2,
        clips_per_video=model.clips_per_video,
        checkpoint_every=2,
        log_every=1,
        show=functools.partial(print, flush=True),
    )
