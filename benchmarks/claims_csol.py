"""CSOL: what the gate, the category term and taking turns each add.

Run by `python benchmarks/claims.py csol`. All rungs of a seed that differ in stage two
only start from the same stage one.
"""

import time
from functools import partial
from pathlib import Path

from claims_common import between_markers, excerpt, spread
from sounding_common import COUNTS as ALL_COUNTS
from sounding_common import (
    DEFAULTS,
    WORLD,
    keep,
    run,
    schedule_of,
    scored,
    sets_of,
    stage_one,
)

from keras_avrep.layers import AVCosineMap, SoundingMask
from keras_avrep.models import CSOL

__all__ = [
    "COUNTS",
    "DEFAULTS",
    "LADDER",
    "SCHEDULE",
    "WORLD",
    "run_rung",
    "write_tables",
]

PRESET = "csol_tiny"
SCHEDULE = CSOL.presets[PRESET]["schedule"]
SOLO = SCHEDULE["solo_epochs"]
SHARED = {"shared_optimizer": True}
# rung → what it is called, changes of the model, of stage one, of stage two
LADDER = {
    "shared_optimizer": (
        "one optimiser of the networks: the preset",
        {},
        SHARED,
        {},
    ),
    "shared_optimizer_no_gate": (
        "one optimiser, no gate",
        {"gate": "off"},
        SHARED,
        {},
    ),
    "shared_optimizer_no_category": (
        "one optimiser, without the category term",
        {"loss_weights": {"category": 0.0}},
        SHARED,
        {},
    ),
    "shared_optimizer_once_six_passes": (
        "one optimiser, clusters found once, all six passes over them",
        {},
        {**SHARED, "first_clustering": SOLO, "classification_passes": 6},
        {},
    ),
    "full": ("optimiser of classes starts anew, as below", {}, {}, {}),
    "stage_one": ("stage one alone", {}, {}, None),
    "raw_rows": ("dictionary rows of their own length", {"unit_rows": False}, {}, {}),
    "minimum_gate": ("the smaller of both maps as gate", {"gate": "minimum"}, {}, {}),
    "no_gate": ("no gate", {"gate": "off"}, {}, {}),
    "no_category": (
        "without the category term",
        {"loss_weights": {"category": 0.0}},
        {},
        {},
    ),
    "no_correspondence": (
        "without correspondence in stage two",
        {"loss_weights": {"correspondence": 0.0}},
        {},
        {},
    ),
    "once": (
        "clusters found once, at the end",
        {},
        {"first_clustering": SOLO},
        {},
    ),
    # As many passes over the classes as in three turns.
    "once_six_passes": (
        "clusters found once, all six passes over them",
        {},
        {"first_clustering": SOLO, "classification_passes": 6},
        {},
    ),
    "heads_only": (
        "classes learned by heads alone",
        {},
        {"heads_only": True},
        {},
    ),
    "double_clusters": ("22 clusters", {"num_classes": 22}, {}, {}),
    "no_gate_no_category": (
        "no gate, without the category term",
        {"gate": "off", "loss_weights": {"category": 0.0}},
        {},
        {},
    ),
    "minimum_gate_no_category": (
        "the smaller of both maps, without the category term",
        {"gate": "minimum", "loss_weights": {"category": 0.0}},
        {},
        {},
    ),
    "equal_terms": (
        "correspondence as heavy as the category term",
        {"loss_weights": {"correspondence": 1.0}},
        {},
        {},
    ),
    # Of unit rows the size of an object is gone already: compare with raw rows.
    "area_objects": (
        "rows of their own length, objects as means over the mask",
        {"object_divisor": "area", "unit_rows": False},
        {},
        {},
    ),
    "fixed_scale": (
        "the scale of cosines fixed at 5",
        {"av_map": partial(AVCosineMap, trainable_scale=False, name="av_map")},
        {},
        {},
    ),
    "high_mask": (
        "the mask above 0.5",
        {"sounding_mask": partial(SoundingMask, threshold=0.5)},
        {},
        {},
    ),
}
# What README shows; the card has all of it.
IN_README = (
    "one optimiser of the networks: the preset",
    "one optimiser, no gate",
    "one optimiser, without the category term",
    "the preset, sound of another video",
    "floor: average mask",
)
README_COLUMNS = ("seeds", "CIoU@0.3", "AUC", "NSA", "sounding over silent")
# Changes of the model that stage one does not see.
LATE = {"unit_rows", "gate", "loss_weights"}
COUNTS = {kind: ALL_COUNTS[kind] for kind in ("solo", "composite")}


def run_rung(rung, seed, args):
    """Train and measure one rung."""
    _, changes, first, second = LADDER[rung]
    # A layer belongs to one model, so each gets its own.
    made = {k: v() for k, v in changes.items() if callable(v)}
    changes = {**changes, **made}
    folder = Path(args.runs) / f"csol{seed}"
    sets = sets_of(COUNTS, PRESET, seed, args)
    began = time.time()
    schedule = schedule_of(PRESET, first)
    solos = folder / stage_one_folder(rung)
    model, solo = stage_one(PRESET, solos, sets, seed, args, changes, schedule)
    if second is not None:
        phases = model.training_phases(
            sets["solo"],
            sets["composite"],
            learning_rate=args.learning_rate,
            seed=seed,
            mismatch_grid=2,
            **{**schedule, **second},
        )
        training = run(phases[-1:], folder / rung, args)
    mixtures = scored(model, PRESET, "composite", seed, args)
    if second is not None:
        keep(model, PRESET, folder / rung, mixtures)
    return {
        "seed": seed,
        "rung": rung,
        "losses": training["losses"] if second is not None else None,
        "solo_after_correspondence": solo,
        "solo": scored(model, PRESET, "solo", seed, args)["solo"],
        "clusters": mixtures["clusters"],
        "mixtures": mixtures["mixtures"],
        "seconds": round(time.time() - began),
    }


def stage_one_folder(rung):
    """Where a rung's stage one is: that of the first rung that has the same."""

    def solos(name):
        _, changes, first, _ = LADDER[name]
        return {k: v for k, v in changes.items() if k not in LATE}, first

    same = next(name for name in LADDER if solos(name) == solos(rung))
    return "solo" if same == "full" else f"solo_{same}"


def own_stage_one(rung):
    """Whether a rung's stage one is no other's before it."""
    return stage_one_folder(rung) == f"solo_{rung}"


# --- tables -----------------------------------------------------------------------


def write_tables(results, root):
    """Put the tables into the card, some rows into README, and return them."""
    table = "\n\n".join([mixture_table(results), solo_table(results)])
    short = excerpt(mixture_table(results), IN_README, README_COLUMNS)
    between_markers(root / "README.md", "csol-claims", short)
    between_markers(root / "keras_avrep/models/csol/CARD.md", "claims", table)
    return table


def of(results, rung):
    return [r for r in results if r["rung"] == rung]


def mixture_table(results):
    """Composites: class-aware overlap, silence, entropy, with floors and controls."""
    lines = [
        "| composites | seeds | CIoU@0.3 | AUC | NSA | sounding over silent "
        "| entropy |",
        "|---|---|---|---|---|---|---|",
    ]

    def row(title, found, keys=("ciou_at_30", "auc", "nsa", "sounding_over_silent")):
        cells = [
            spread([f[k] for f in found]) if found[0].get(k) is not None else "–"
            for k in keys
        ]
        entropy = found[0].get("entropy_share")
        cells.append(
            "–" if entropy is None else spread([f["entropy_share"] for f in found])
        )
        lines.append(f"| {title} | {len(found)} | " + " | ".join(cells) + " |")

    for rung, (title, *_) in LADDER.items():
        if found := of(results, rung):
            row(title, [r["mixtures"]["model"] for r in found])
    for rung, short in (("shared_optimizer", "the preset"), ("full", "starting anew")):
        found = of(results, rung)
        if not found:
            continue
        shuffled = [r["mixtures"]["shuffled"] for r in found]
        row(f"{short}, sound of another video", shuffled)
        plain = [r["mixtures"]["correspondence"] for r in found]
        row(f"{short}, one correspondence map for all classes", plain)
    if found:
        for floor in found[0]["mixtures"]["floors"]:
            row(
                f"floor: {floor.replace('_', ' ')}",
                [r["mixtures"]["floors"][floor] for r in found],
            )
    return "\n".join(lines)


def solo_table(results):
    """Solos after the last pass of correspondence, beside floors."""
    lines = ["| solos | seeds | IoU@0.5 | AUC |", "|---|---|---|---|"]

    def row(title, found):
        cells = [spread([f[k] for f in found]) for k in ("iou_at_50", "auc")]
        lines.append(f"| {title} | {len(found)} | " + " | ".join(cells) + " |")

    found = [r["solo_after_correspondence"] for r in of(results, "full")]
    if found:
        row("starting anew, after correspondence", [f["model"] for f in found])
        row("the same, sound of another video", [f["shuffled"] for f in found])
        saved = [r["solo"]["model"] for r in of(results, "stage_one")]
        row("starting anew, after its classes", saved)
        row(
            "starting anew, after stage two",
            [r["solo"]["model"] for r in of(results, "full")],
        )
        for rung, (title, *_) in LADDER.items():
            # Stage one is another one.
            if (other := of(results, rung)) and own_stage_one(rung):
                after = [r["solo_after_correspondence"] for r in other]
                # Older results of runs that had been broken off have none.
                if all(after):
                    row(f"{title}, after correspondence", [f["model"] for f in after])
                row(f"{title}, after stage two", [r["solo"]["model"] for r in other])
        for floor in ("whole_image", "centred_square", "average_mask"):
            row(
                f"floor: {floor.replace('_', ' ')}",
                [f["floors"][floor] for f in found],
            )
    return "\n".join(lines)
