"""What pretraining is worth where few videos have labels.

Run by `python benchmarks/claims.py few_labels`. The motions of the world `scenes` are
learned from some labelled videos: by a linear probe of frozen features, and by the
recipe of `keras-avrep finetune`, with a network that was not trained, after plain
instance contrast, and after DCLR. The last two are rungs (a) and (f) of
`claims_dclr.py`, on 1024 videos without labels, and are trained if they are not there.
"""

from pathlib import Path

import claims_dclr
import numpy as np
from claims_common import between_markers, rendered, spread, untrained

from keras_avrep.evaluation import (
    classification_accuracy,
    embed_videos,
    finetune,
    linear_probe_accuracy,
)
from keras_avrep.models import DCLR, VideoClassifier
from keras_avrep.worlds import ScenesWorld

DEFAULTS = claims_dclr.DEFAULTS
COUNTS = claims_dclr.COUNTS
WORLD = claims_dclr.WORLD
PRESET = claims_dclr.PRESET
# From a start to its title and its rung of `claims_dclr`.
LADDER = {
    "scratch": ("not trained", None),
    "contrast": ("instance contrast", "a"),
    "dclr": ("DCLR", "f"),
}
# How many labelled videos, as many of each class; 512 are all there are, of which
# there are fewer than 64 of some.
LINEAR, TUNED = (32, 128, 512), (32, 128)
LABEL = "motion"
NUM_CLIPS = 4  # of a video in the test, and of each that a linear probe learns from


def run_rung(rung, seed, args):
    """Accuracies on the test videos, by how the network learns and of how many."""
    model, manifest, trained_on = start(rung, seed, args)
    found = {"linear": linear(model.representation, manifest, seed)}
    folder = Path(args.runs) / f"few_labels{seed}" / rung
    for count in TUNED:
        # Fine-tuning has changed the one before.
        model, manifest, _ = start(rung, seed, args)
        place = folder / str(count)
        accuracy = tuned(model.backbone, manifest, count, place, seed)
        found.setdefault("tuned", {})[str(count)] = accuracy
    return {"trained_on": trained_on, "accuracy": found}


def start(rung, seed, args):
    """The network to begin with, the videos, and where it was trained."""
    if LADDER[rung][1]:
        model, training, manifest = claims_dclr.train_rung(LADDER[rung][1], seed, args)
        return model, manifest, training["trained_on"]
    data = Path(args.runs) / f"seed{seed}" / "data"
    manifest = rendered(ScenesWorld(seed=seed), data, COUNTS)
    return untrained(PRESET, manifest, seed, args)[0], manifest, None


def linear(representation, manifest, seed):
    """Share of test videos whose motion a linear probe of frozen features tells."""
    train, test = (
        embed_videos(representation, manifest.split(split), **clips())
        for split in ("train", "test")
    )
    found = {}
    for count in LINEAR:
        chosen = {r.video_id for r in labelled(manifest, count)}
        places = np.array([path in chosen for path in train.paths])
        found[str(count)] = linear_probe_accuracy(
            train.values[places],
            test.values,
            np.asarray(train.labels[LABEL])[places],
            np.asarray(test.labels[LABEL]),
            seed=seed,
        )
    return found


def tuned(backbone, manifest, count, folder, seed):
    """The same of a classifier that is trained with its backbone."""
    classes = manifest.classes(LABEL)
    classifier = VideoClassifier.for_backbone(backbone, len(classes))
    size = DCLR.presets[PRESET]["clip"]["size"]
    options = {k: v for k, v in clips().items() if k in ("num_frames", "stride")}
    finetune(
        classifier,
        labelled(manifest, count),
        LABEL,
        classes,
        folder,
        **options,
        size=size,
        view_size=clips()["size"],
        flip=0.0,  # it would turn one motion into another
        seed=seed,
    )
    test = manifest.split("test")
    return classification_accuracy(classifier, test, LABEL, classes, **clips())


def clips():
    """Clips of the preset at the size of its views, as `embed_videos` takes them."""
    preset = DCLR.presets[PRESET]
    size = {"size": preset["views"]["size"], "num_clips": NUM_CLIPS}
    return {**preset["clip"], **size}


def labelled(manifest, count):
    """The first videos of every class, `count` in all."""
    classes = manifest.classes(LABEL)
    records = manifest.split("train")
    by_class = ([r for r in records if r.labels[LABEL] == name] for name in classes)
    return [r for found in by_class for r in found[: count // len(classes)]]


def table(results):
    """A markdown table: mean and spread over seeds."""
    columns = [("linear", n) for n in LINEAR] + [("tuned", n) for n in TUNED]
    titles = {"linear": "linear probe", "tuned": "fine-tuned"}
    head = ["start", "seeds", *(f"{titles[how]}, {n} labels" for how, n in columns)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for rung, (name, _) in LADDER.items():
        if rows := [r["accuracy"] for r in results if r["rung"] == rung]:
            cells = [spread([r[how][str(n)] for r in rows]) for how, n in columns]
            lines.append("| " + " | ".join([name, str(len(rows)), *cells]) + " |")
    return "\n".join(lines)


def write_tables(results, root):
    """Put the table into the page that helps to choose."""
    path = root / "docs/choosing.md"
    between_markers(path, "few_labels-claims", table(results))
    return table(results)
