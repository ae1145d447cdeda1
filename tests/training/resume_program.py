"""Trains a few steps; run twice to resume. Arguments: VIDEOS OUT."""

import functools
import sys

import keras
from tiny_dclr import build

from keras_avrep.data import scan_folder
from keras_avrep.training import make_deterministic, pretrain
from keras_avrep.views import RandomClips

videos, out = sys.argv[1:3]
make_deterministic()
model = build()
pretrain(
    model,
    scan_folder(videos).records,
    out,
    sampler=RandomClips(2, 2, 1),
    steps=9,
    size=20,
    batch_size=4,
    optimizer=keras.optimizers.Adam(1e-3),
    warmup_steps=2,
    checkpoint_every=2,
    log_every=1,
    show=functools.partial(print, flush=True),
)
