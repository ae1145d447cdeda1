"""Speed of the whole training step beside a PyTorch program that does the same.

    python benchmarks/throughput.py

Both decode the same rendered videos in as many threads, draw the views, run the three
inputs through query and key encoder, and update; in one run, one after the other,
at the tiny size and at 16x112x112. Also decoding alone, the model alone, and the
share of time spent waiting for data. Figures are clips a second (two clips a
video). Nothing else should run on the machine meanwhile. A GPU is measured if there
is one, with larger batches where they fit. It has a file of results of its own, as
has a CPU without bfloat16, where both programs compute in float32.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The package does it, too, but Keras is imported before it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from provenance import commit

from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.data import BatchFeed, clip_dataset, prepare_videos, scan_folder
from keras_avrep.models import DCLR
from keras_avrep.training import choose_device_policy, pretrain
from keras_avrep.views import RandomClips
from keras_avrep.worlds import ScenesWorld, render_world

RESULTS = Path(__file__).parent / "results"
SIZES = {
    "tiny": {
        "preset": "dclr_tiny",
        "world": {"size": 64},
        "batch_size": 32,
        "steps": 30,
        "width": 0.1875,
    },
    "paper": {
        "preset": "dclr_r2plus1d_ucf101",
        "world": {"size": 128},
        "batch_size": 4,
        "steps": 6,
        "width": 1.0,
    },
}
# What is other on a GPU: enough work for it, and time enough to measure.
ON_GPU = {
    "tiny": {"batch_size": 128, "steps": 100},
    "paper": {"batch_size": 16, "steps": 60},
}


def build(case):
    keras.utils.set_random_seed(0)
    model = DCLR.from_preset(
        case["preset"], load_weights=False, queue_size=256, seed=0,
        loss_weights={n: 1.0 for n in ("vv", "vs", "sv", "vd", "dv")},
    )  # fmt: skip
    # The peer crops only: colour is no part of the comparison.
    model.views.flip = model.views.jitter = model.views.gray = model.views.blur = 0.0
    return model


def ours(case, records, clip, folder):
    model = build(case)
    result = pretrain(
        model,
        records,
        folder,
        sampler=RandomClips(2, clip["num_frames"], clip["stride"]),
        steps=case["steps"],
        size=clip["size"],
        batch_size=case["batch_size"],
        threads=case["threads"],
        optimizer=keras.optimizers.Adam(1e-3),
        log_every=case["steps"],
        checkpoint_every=10**9,
    )
    return model, result


def decode_only(case, records, clip):
    dataset = clip_dataset(
        records,
        RandomClips(2, clip["num_frames"], clip["stride"]),
        size=clip["size"],
        batch_size=case["batch_size"],
    )
    count = 8
    began = time.perf_counter()
    for _ in BatchFeed(dataset, stop=count, threads=case["threads"]):
        pass
    return 2 * case["batch_size"] * count / (time.perf_counter() - began)


def model_only(case, model, clip):
    shape = (case["batch_size"], 2, clip["num_frames"], clip["size"], clip["size"], 3)
    video = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    batch = {"video": video, "static": video[:, :, 0]}
    model.train_on_batch(batch)
    count = max(3, case["steps"] // 2)
    began = time.perf_counter()
    for _ in range(count):
        # As a number, for which the step has to be done.
        float(model.train_on_batch(batch, return_dict=True)["loss"])
    return 2 * case["batch_size"] * count / (time.perf_counter() - began)


def long_footage(folder):
    """What `prepare` is worth: decoding long, large videos before and after."""
    world = ScenesWorld(size=360, num_frames=240, seed=1)
    render_world(world, folder / "long", {"train": 6})
    clip = {"num_frames": 16, "stride": 2, "size": 112}
    case = {"batch_size": 6, "threads": 2}
    records = scan_folder(folder / "long").records
    before = decode_only(case, records, clip)
    prepare_videos(scan_folder(folder / "long"), folder / "small", size=128)
    after = decode_only(case, scan_folder(folder / "small").records, clip)
    return {"decode_before": before, "decode_after": after, "ratio": after / before}


def measure(name, case, folder, policy):
    import torch_peer

    preset = DCLR.presets[case["preset"]]
    clip = preset["clip"]
    world = ScenesWorld(**case["world"], num_frames=48)
    render_world(world, folder / name, {"pretrain": max(128, case["batch_size"])})
    records = scan_folder(folder / name).records
    model, result = ours(case, records, clip, folder / f"{name}_run")
    peer = torch_peer.run(
        records,
        clip,
        preset["views"]["size"],
        tuple(preset["views"].get("crop_scale", (0.2, 1.0))),
        case["width"],
        preset["backbone"]["blocks"],
        case["batch_size"],
        case["steps"],
        policy.precision == "mixed_bfloat16",
        case["threads"],
    )
    return {
        "ours": result["clips_per_second"],
        "torch_peer": peer,
        "ratio": result["clips_per_second"] / peer,
        "data_wait_fraction": result["data_wait_fraction"],
        "decode_only": decode_only(case, records, clip),
        "model_only": model_only(case, model, clip),
    }


def kind_of(policy):
    """What the results of a machine that is not the usual one are called."""
    if policy.device != "cpu":
        return "_gpu"
    return "" if policy.precision == "mixed_bfloat16" else "_without_bfloat16"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument(
        "--threads", type=int, default=min(os.cpu_count(), 16), help="that decode"
    )
    args = parser.parse_args()
    policy = choose_device_policy()
    keras.config.set_dtype_policy(policy.precision)
    on_cpu = policy.device == "cpu"
    cases = {
        name: SIZES[name] | ({} if on_cpu else ON_GPU[name]) | {"threads": args.threads}
        for name in args.sizes
    }
    path = RESULTS / f"throughput{kind_of(policy)}.json"
    results = {
        "configuration": cases,
        "policy": str(policy),
        "cores": os.cpu_count(),
        "versions": versions(),
        "commit": commit(),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases.items():
            results[name] = measure(name, case, Path(folder), policy)
            print(name, json.dumps(results[name]), flush=True)
            write_json(path, results)
        if on_cpu:
            results["prepare"] = long_footage(Path(folder))
            print(json.dumps(results["prepare"]))
            write_json(path, results)


if __name__ == "__main__":
    main()
