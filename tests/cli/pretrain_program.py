"""Two steps of systems by the command line. Arguments: VIDEOS OUT NAME..."""

import sys

from keras_avrep.cli.main import main

OPTIONS = ["--steps", "2", "--batch-size", "4", "--precision", "float32"]

videos, out, *names = sys.argv[1:]
for name in names:
    run = ["pretrain", videos, "--out", f"{out}/{name}", "--model", name]
    assert main([*run, *OPTIONS]) == 0
