"""What pretraining is worth where few videos have labels.

Run by `python benchmarks/claims.py few_labels`. A network for the motions of the world
`scenes` is fine-tuned on some labelled videos by the recipe of `keras-avrep finetune`:
from scratch, after plain instance contrast, and after DCLR, both trained on the 1024
unlabelled videos by `claims_dclr.py` (rungs (a) and (f)), which trains them if they are
not there yet.
"""

from pathlib import Path

import claims_dclr
from claims_common import between_markers, fresh, rendered, spread

from keras_avrep.evaluation import classification_accuracy, finetune
from keras_avrep.models import DCLR, VideoClassifier
from keras_avrep.worlds import ScenesWorld

DEFAULTS = claims_dclr.DEFAULTS
COUNTS = claims_dclr.COUNTS
WORLD = claims_dclr.WORLD
PRESET = claims_dclr.PRESET
# From a start to its title and its rung of `claims_dclr`.
LADDER = {
    "scratch": ("from scratch", None),
    "contrast": ("after instance contrast", "a"),
    "dclr": ("after DCLR", "f"),
}
LABELLED = (64, 256)  # videos
LABEL = "motion"
NUM_CLIPS = 4  # of a video in the test
MODES = {"fine-tuned": {}, "linear": {"train_backbone": False, "unit_features": True}}
RECIPES = {
    "fine-tuned": {},
    "linear": {"batch_size": 128, "learning_rate": 5.0, "weight_decay": 0.0},
}


def run_rung(rung, seed, args):
    """Accuracies on the test videos, by how the network learns and of how many."""
    folder = Path(args.runs) / f"few_labels{seed}" / rung
    found, trained_on = {}, None
    for mode in MODES:
        found[mode] = {}
        for count in LABELLED:
            backbone, manifest, trained_on = start(rung, seed, args)
            found[mode][str(count)] = accuracy(
                mode, count, backbone, manifest, folder / f"{mode}_{count}", seed
            )
    return {"trained_on": trained_on, "accuracy": found}


def start(rung, seed, args):
    """The backbone to begin from, the videos, and where it was trained."""
    if LADDER[rung][1]:
        model, training, manifest = claims_dclr.train_rung(LADDER[rung][1], seed, args)
        return model.backbone, manifest, training["trained_on"]
    data = Path(args.runs) / f"seed{seed}" / "data"
    manifest = rendered(ScenesWorld(seed=seed), data, COUNTS)
    return fresh(PRESET, manifest, seed, args).backbone, manifest, None


def accuracy(mode, count, backbone, manifest, folder, seed):
    """Share of test videos whose motion is told right after training on `count`."""
    clip = {k: DCLR.presets[PRESET]["clip"][k] for k in ("num_frames", "stride")}
    size = DCLR.presets[PRESET]["clip"]["size"]
    view_size = DCLR.presets[PRESET]["views"]["size"]
    classes = manifest.classes(LABEL)
    classifier = VideoClassifier.for_backbone(backbone, len(classes), **MODES[mode])
    finetune(
        classifier,
        balanced(manifest.split("train"), count // len(classes)),
        LABEL,
        classes,
        folder,
        **clip,
        size=size,
        view_size=view_size,
        flip=0.0,  # it would turn one motion into another
        seed=seed,
        **RECIPES[mode],
    )
    test = manifest.split("test")
    options = {**clip, "size": view_size, "num_clips": NUM_CLIPS}
    return classification_accuracy(classifier, test, LABEL, classes, **options)


def balanced(records, each):
    """The first videos of every class."""
    classes = sorted({r.labels[LABEL] for r in records})
    by_class = ([r for r in records if r.labels[LABEL] == name] for name in classes)
    return [record for found in by_class for record in found[:each]]


def table(results):
    """A markdown table: mean and spread over seeds."""
    head = ["start", "seeds"]
    head += [f"{mode}, {count} labels" for mode in MODES for count in LABELLED]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for rung, (name, _) in LADDER.items():
        if rows := [r["accuracy"] for r in results if r["rung"] == rung]:
            cells = [
                spread([r[mode][str(count)] for r in rows])
                for mode in MODES
                for count in LABELLED
            ]
            lines.append("| " + " | ".join([name, str(len(rows)), *cells]) + " |")
    return "\n".join(lines)


def write_tables(results, root):
    """Put the table into the page that helps to choose."""
    path = root / "docs/choosing.md"
    between_markers(path, "few_labels-claims", table(results))
    return table(results)
