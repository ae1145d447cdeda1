"""What running 3-D convolutions as 2-D ones is worth.

    python benchmarks/fold.py

Forward and backward pass on TensorFlow with `fold` on and off, in turns, in float32
and in the precision that the library chooses for this machine; and the latency of
LiteRT float32 files on two threads: one of the exporter, which folds and fuses, one
of the network as it is with `fold` off. Ratios above 1 are in favour of folding.
Nothing else should run on the machine meanwhile.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The package does it, too, but Keras is imported before it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from provenance import commit

from keras_avrep.backbones import ResNet3DBackbone, VideoResNetBackbone
from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.export import export_litert, run_litert
from keras_avrep.export.inference_form import write_signature
from keras_avrep.training import choose_device_policy

RESULTS = Path(__file__).parent / "results" / "fold.json"
TINY = {"blocks": [1, 1, 1, 1], "width_multiplier": 0.1875}
TINY_CLIP = {"clip": [8, 48, 48, 3], "batch_size": 16}
CASES = {
    "tiny": {"network": TINY, **TINY_CLIP, "repeats": 20},
    "tiny_r3d": {
        "network": {**TINY, "convolution": "3d"},
        **TINY_CLIP,
        "repeats": 5,
    },
    # The trunk of ConST-CL and TeG; only its stem has a full kernel.
    "tiny_resnet3d": {
        "trunk": True,
        "network": TINY,
        **TINY_CLIP,
        "repeats": 5,
    },
    "r2plus1d": {
        "network": {"blocks": [1, 1, 1, 1]},
        "clip": [8, 112, 112, 3],
        "batch_size": 4,
        "repeats": 8,
    },
}


def build(case, fold, precision):
    """The network with pooled features, the same weights whatever `fold`."""
    keras.utils.set_random_seed(0)
    network = ResNet3DBackbone if case.get("trunk") else VideoResNetBackbone
    backbone = network(fold=fold, dtype=precision, **case["network"])
    video = keras.Input(case["clip"])
    pooled = keras.layers.GlobalAveragePooling3D(dtype="float32")(backbone(video))
    return keras.Model(video, pooled)


def gradient_step(model, jit_compile):
    """A compiled forward and backward pass; it returns when all gradients are."""

    weights = [variable.value for variable in model.trainable_variables]

    @tf.function(jit_compile=jit_compile)
    def step(video):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(video, training=True)))
        return tf.linalg.global_norm(tape.gradient(loss, weights))

    return step


def training(case, precision, jit_compile):
    """Milliseconds of a pass with and without folding, measured in turns."""
    steps = {
        fold: gradient_step(build(case, fold, precision), jit_compile)
        for fold in (True, False)
    }
    video = tf.constant(clips(case, case["batch_size"]))
    times = {True: [], False: []}
    for turn in range(case["repeats"] + 1):
        for fold, step in steps.items():
            began = time.perf_counter()
            step(video).numpy()
            # The first turn traces.
            if turn:
                times[fold].append(1000 * (time.perf_counter() - began))
    return compared(*(float(np.median(times[fold])) for fold in (True, False)))


def litert(case):
    """Milliseconds of a clip for both files, which have to agree."""
    inputs = clips(case, case["repeats"])
    with tempfile.TemporaryDirectory() as folder:
        folded = export_litert(
            SimpleNamespace(representation=build(case, True, "float32")),
            Path(folder) / "folded.tflite",
            clip_shape=case["clip"],
        )
        unfolded = Path(folder) / "unfolded.tflite"
        unfolded.write_bytes(convert_unfolded(case, Path(folder) / "saved"))
        features, latency = run_litert(folded, inputs)
        expected, slow_latency = run_litert(unfolded, inputs)
    difference = np.abs(features - expected).max() / np.abs(expected).max()
    if not difference < 1e-3:
        raise SystemExit(f"The two files differ by {difference:.1g} of the largest.")
    return compared(latency, slow_latency)


def convert_unfolded(case, folder):
    """The flatbuffer of the network as it is, by the converter alone."""
    network = build(case, False, "float32")
    video = keras.Input(case["clip"], batch_size=1, name="video")
    write_signature(keras.Model(video, network(video)), folder)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = False
    return converter.convert()


def clips(case, count):
    shape = (count, *case["clip"])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def compared(folded, unfolded):
    return {
        "folded_ms": folded,
        "unfolded_ms": unfolded,
        "ratio": unfolded / folded,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--repeats", type=int, help="instead of each case's own")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    policy = choose_device_policy()
    chosen = {
        name: {**CASES[name], "repeats": args.repeats or CASES[name]["repeats"]}
        for name in args.cases
    }
    results = {
        "configuration": chosen,
        "policy": str(policy),
        "cores": os.cpu_count(),
        "versions": versions(),
        "commit": commit(),
    }
    for name, case in chosen.items():
        results[name] = {
            "forward_backward": {
                precision: training(case, precision, policy.jit_compile)
                for precision in sorted({"float32", policy.precision})
            },
            "litert_float32": litert(case),
        }
        print(name, json.dumps(results[name]), flush=True)
    write_json(args.out, results)


if __name__ == "__main__":
    main()
