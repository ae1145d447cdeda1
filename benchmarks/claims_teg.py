"""TeG: what the fine term adds for time, and what it costs elsewhere.

Run by `python benchmarks/claims.py teg`. Pretraining videos have three motions one
after the other. Each rung starts from the same seed, data and number of steps.
"""

from pathlib import Path

import keras
import numpy as np
from claims_common import (
    between_markers,
    excerpt,
    probed,
    rendered,
    run_folder,
    spread,
    trained,
)
from keras import ops

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.data import BatchFeed, clip_dataset
from keras_avrep.evaluation import (
    detection_average_precision,
    frame_features,
    label_segments,
    order_accuracy,
    segmentation_scores,
    step_match,
    temporal_variance_ratio,
    time_regression,
)
from keras_avrep.models import TeG, train_mstcn
from keras_avrep.models.teg import StepFeatureExtractor, TeGViews
from keras_avrep.models.teg.step_times import step_times
from keras_avrep.worlds import ScenesWorld
from keras_avrep.worlds.scenes import MOTIONS

DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
# rung → what it is called, preset, constructor changes
LADDER = {
    "persistent": ("persistent term only", "teg_tiny_persistent", {}),
    "fine": ("fine term only", "teg_tiny_fine", {}),
    "both": ("both terms", "teg_tiny", {}),
    "across": (
        "fine term only, negatives across videos only",
        "teg_tiny_fine",
        {"negatives": "across"},
    ),
    "both_across": (
        "both terms, negatives across videos only",
        "teg_tiny",
        {"negatives": "across"},
    ),
    "balanced": (
        "both terms, the persistent one at 0.5",
        "teg_tiny",
        {"loss_weights": {"fine": 1.0, "persistent": 0.5}},
    ),
    "coarse": ("both terms, steps 4 frames away are none", "teg_tiny", {"delta": 4}),
    "long_span": ("both terms, 24 frames around 8", "teg_tiny", {"long_frames": 24}),
    "one_head": ("both terms, one projection", "teg_tiny", {"share_heads": True}),
    # Steps of clips that start anywhere do not meet; aligned ones do.
    "unaligned": ("both terms, clips start anywhere", "teg_tiny", {"align": False}),
    "interpolated": (
        "the same, steps matched by interpolation",
        "teg_tiny",
        {"align": False, "match": "interpolated"},
    ),
    "shared_crop": ("both terms, both clips cropped alike", "teg_tiny", {}),
    # Steps at the ends are not recognised by zeros behind them.
    "fine_edge": (
        "fine term only, first and last frame as padding",
        "teg_tiny_fine",
        {},
    ),
    "both_edge": ("both terms, first and last frame as padding", "teg_tiny", {}),
}
# What README shows; the card has all of it.
IN_README = [LADDER[rung][0] for rung in ("persistent", "fine", "both")]
README_COLUMNS = (
    "seeds",
    "motion linear",
    "scene linear",
    "in the middle",
    "order of steps",
    "time R²",
)
README_PHASES = ("frames right", "edit", "F1@10", "F1@25", "F1@50", "average mAP")
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
PHASES = {"phases": 3, "pretrain_phases": True}
WORLD = ScenesWorld(**PHASES)
HEAD = {"num_stages": 2, "num_layers": 5, "num_filters": 32}
HEAD_EPOCHS = 20


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    folder = Path(args.runs) / f"teg{seed}"
    phases = rendered(ScenesWorld(seed=seed, **PHASES), folder / "data", COUNTS)
    _, preset, changes = LADDER[rung]
    if rung == "shared_crop":
        views = TeG.presets[preset]["views"]
        views = TeGViews(**views, shared_crop=True, seed=seed)
        changes = {**changes, "views": views}
    if rung.endswith("_edge"):
        keras.utils.set_random_seed(seed)
        trunk = TeG.presets[preset]["backbone"]
        backbone = ResNet3DBackbone(**trunk, time_padding="edge")
        changes = {**changes, "backbone": backbone}
    run = run_folder(folder, rung, args)
    return *trained(preset, phases, run, seed, args, changes), phases


def measure_rung(rung, seed, args, model, manifest):
    """Probes of whole videos and of steps, and what a head finds of the phases."""
    # The same scenes with one motion each, for what is asked of whole videos.
    counts = {split: COUNTS[split] for split in ("train", "test")}
    place = Path(args.runs) / f"teg{seed}" / "single"
    single = rendered(ScenesWorld(seed=seed), place, counts)
    preset = LADDER[rung][1]
    clip = TeG.presets[preset]["clip"]
    splits = [manifest.split(split) for split in ("train", "test")]
    return {
        **probed(model, preset, single, seed),
        **time_scores(model, clip, *splits, seed),
        **phase_scores(model, clip, *splits, seed),
    }


# --- what steps know of time ----------------------------------------------------


def time_scores(model, clip, train_records, test_records, seed):
    """Probes of the steps of long clips, and matches under independent crops."""
    _, train_steps = step_pairs(model, clip, train_records, seed)
    matched, test_steps = step_pairs(model, clip, test_records, seed)
    return {
        "step_match": step_match(**matched),
        "time_regression": time_regression(train_steps, test_steps),
        "order_accuracy": order_accuracy(train_steps, test_steps),
        "variance_ratio": temporal_variance_ratio(test_steps),
    }


def step_pairs(model, clip, records, seed, batch_size=16):
    """Steps and times of nested clips, cropped apart, and of whole long clips."""
    dataset = clip_dataset(
        records,
        model.training_sampler(clip),
        size=model.views.size,
        batch_size=batch_size,
        seed=seed,
        shuffle=False,
        repeat=False,
    )
    views = TeGViews.from_config({**model.views.get_config(), "seed": 1000 + seed})
    steps = model.inference_models()["steps"]
    matched = {name: [] for name in ("short", "long", "short_times", "long_times")}
    whole = []
    for batch in BatchFeed(dataset):
        cropped = views(batch)
        for name in ("short", "long"):
            feature_map = model.backbone(cropped[name], training=False)
            matched[name].append(ops.convert_to_numpy(model.pool(feature_map)))
            numbers = (batch[f"{name}_{part}"] for part in ("start", "stride"))
            times = step_times(*numbers, batch[name].shape[1])
            matched[f"{name}_times"].append(times)
        whole.append(steps.predict_on_batch(batch["long"].astype("float32")))
    return {k: np.concatenate(v) for k, v in matched.items()}, np.concatenate(whole)


# --- which motion is when -------------------------------------------------------


def phase_scores(model, clip, train_records, test_records, seed):
    """Segmentation and detection of the phases, by a head on frozen steps."""
    extract = StepFeatureExtractor(
        model.inference_models()["steps"], model.long_frames, model.long_stride
    )
    size = model.views.size
    sequences, truth = labelled(extract, train_records, size)
    tests, names = labelled(extract, test_records, size)
    videos = [record.video_id for record in test_records]
    truth_of = dict(zip(videos, names, strict=True))
    result = {}
    for kind, change in (("steps", np.asarray), ("means", running_mean)):
        head = trained_head([change(x) for x in sequences], truth, seed)
        predicted, detected = {}, {}
        for record, features in zip(test_records, tests, strict=True):
            shares = head.probabilities(change(features))
            labels = [MOTIONS[i] for i in shares.argmax(axis=1)]
            predicted[record.video_id] = labels
            detected[record.video_id] = label_segments(
                labels, record.fps, shares, MOTIONS
            )
        real = {
            record.video_id: label_segments(truth_of[record.video_id], record.fps)
            for record in test_records
        }
        result[f"segmentation_of_{kind}"] = segmentation_scores(predicted, truth_of)
        average = detection_average_precision(detected, real)["average"]
        result[f"detection_of_{kind}"] = average
    return result


def labelled(extract, records, size):
    """Features and the motion of every frame, for each video."""
    sequences, labels = [], []
    for record in records:
        sequences.append(frame_features(extract, record, size))
        count = len(sequences[-1])
        motions = record.labels["motion"].split(">")
        labels.append([motions[t * len(motions) // count] for t in range(count)])
    return sequences, labels


def running_mean(features, frames=16):
    """Each frame's features averaged with those around it: no detail in time."""
    padded = np.pad(features, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0, dtype="float64")
    return ((total[frames:] - total[:-frames]) / frames).astype("float32")


def trained_head(sequences, labels, seed):
    """MS-TCN trained on the features of every frame."""
    keras.utils.set_random_seed(seed)
    recipe = {"epochs": HEAD_EPOCHS, "batch_size": 16, "learning_rate": 2e-3}
    return train_mstcn(sequences, labels, MOTIONS, **recipe, **HEAD)


# --- tables ---------------------------------------------------------------------


def table(results):
    """Markdown: what whole videos tell, and what steps tell of time."""
    head = ["rung", "seeds", "motion kNN", "motion linear", "scene kNN"]
    head += ["scene linear", "step match", "at the ends", "in the middle"]
    head += ["order of steps", "variance within"]
    head += ["time R²"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for rung, (name, *_) in LADDER.items():
        rows = [r for r in results if r["rung"] == rung]
        if not rows:
            continue
        cells = [
            spread([r["probe"][label][kind] for r in rows])
            for label in ("motion", "scene")
            for kind in ("knn", "linear")
        ]
        cells += [
            spread([r["step_match"][place] for r in rows])
            for place in ("accuracy", "ends", "middle")
        ]
        cells += [
            spread([r[key] for r in rows])
            for key in ("order_accuracy", "variance_ratio", "time_regression")
        ]
        lines.append("| " + " | ".join([name, str(len(rows)), *cells]) + " |")
    return "\n".join(lines)


def phase_table(results, kinds=("steps", "means")):
    """Markdown: phases found by a head on steps, and on means over a window."""
    head = ["rung", "features", "frames right", "edit", "F1@10", "F1@25", "F1@50"]
    head += ["average mAP"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    keys = ("accuracy", "edit", "f1_at_10", "f1_at_25", "f1_at_50")
    for rung, (name, *_) in LADDER.items():
        rows = [r for r in results if r["rung"] == rung]
        for kind in kinds if rows else ():
            scores = [r[f"segmentation_of_{kind}"] for r in rows]
            cells = [spread([s[key] for s in scores]) for key in keys]
            cells.append(spread([r[f"detection_of_{kind}"] for r in rows]))
            lines.append("| " + " | ".join([name, kind, *cells]) + " |")
    return "\n".join(lines)


def write_tables(results, root):
    """Put the tables into the card, a part into the README, and return the first."""
    short = (
        excerpt(table(results), IN_README, README_COLUMNS),
        excerpt(phase_table(results, ("steps",)), IN_README, README_PHASES),
    )
    between_markers(root / "README.md", "teg-claims", "\n\n".join(short))
    both = f"{table(results)}\n\n{phase_table(results)}"
    between_markers(root / "keras_avrep/models/teg/CARD.md", "teg-claims", both)
    return both
