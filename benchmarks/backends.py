"""What a training step costs on each backend, with XLA and without.

    python benchmarks/backends.py

The same preset and batch in memory, one process after the other: as many videos as
make `batch_size` clips, half as many where a step takes two of each. The first step
traces and compiles. Nothing else should run on the machine meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "backends.json"
# backend, XLA
CHOICES = (("tensorflow", False), ("tensorflow", True), ("jax", True), ("torch", False))
PRESETS = ("dclr_tiny", "const_cl_tiny", "teg_tiny")
BATCH_SIZE = 16  # clips


def measure(preset, folder, steps, jit_compile):
    """Seconds of the first step, and the median of the others."""
    import keras
    import numpy as np

    from keras_avrep.cli.training_run import build_model
    from keras_avrep.data import BatchFeed, clip_dataset, scan_folder
    from keras_avrep.models import system_of

    clip = system_of(preset).presets[preset]["clip"]
    model = build_model(
        preset, num_videos=1024, batch_size=BATCH_SIZE, steps=600, seed=0
    )
    dataset = clip_dataset(
        scan_folder(folder).records,
        model.training_sampler(clip),
        size=clip["size"],
        batch_size=BATCH_SIZE // model.clips_per_video,
    )
    batch = next(iter(BatchFeed(dataset, stop=1)))
    ends = [time.perf_counter()]

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, step, logs=None):
            float(logs["loss"])  # until then the step may still be running
            ends.append(time.perf_counter())

    model.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=jit_compile)
    batches = ((batch,) for _ in range(steps))
    model.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[Clock()])
    seconds = np.diff(ends)
    return {"first_s": float(seconds[0]), "step_s": float(np.median(seconds[1:]))}


def measure_apart(backend, jit_compile, preset, folder, steps):
    """`measure` in a process of its own, as a process has one backend."""
    arguments = [preset, str(folder), str(steps), str(int(jit_compile))]
    done = subprocess.run(
        [sys.executable, __file__, "--step", *arguments],
        env={
            "TF_ENABLE_ONEDNN_OPTS": "1",  # as the package does where it comes first
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {"backend": backend, "jit_compile": jit_compile, **found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=list(PRESETS))
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--step", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        preset, folder, steps, jit_compile = args.step
        print(json.dumps(measure(preset, folder, int(steps), jit_compile == "1")))
        return

    from provenance import commit

    from keras_avrep.cli.run_folder import versions, write_json
    from keras_avrep.worlds import ScenesWorld, render_world

    content = {
        "configuration": {"batch_size": BATCH_SIZE, "steps": args.steps},
        "precision": "float32",
        "cores": os.cpu_count(),
        "versions": versions(),
        "commit": commit(),
        "results": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        render_world(ScenesWorld(), Path(folder), {"pretrain": BATCH_SIZE})
        for preset in args.presets:
            for backend, jit_compile in CHOICES:
                found = measure_apart(backend, jit_compile, preset, folder, args.steps)
                content["results"].append({"preset": preset, **found})
                print(json.dumps(content["results"][-1]), flush=True)
    write_json(args.out, content)


if __name__ == "__main__":
    main()
