"""IEr: what its parts add amid unseen sounds, silent objects and noise, beside CSOL.

Run by `python benchmarks/claims.py ier`. Every rung learns from solos first and from
unconstrained videos then. Held-out ones are scored three times: as they are; clean,
the same videos without unseen sources and noise; and quiet, with sources down to 20 dB
below the loudest, of which training has none.
"""

import time
from pathlib import Path

import numpy as np
from claims_common import between_markers, excerpt, spread
from sounding_common import COUNTS as ALL_COUNTS
from sounding_common import (
    DEFAULTS,
    classes_of,
    keep,
    labels_in,
    rendered,
    run,
    schedule_of,
    scored,
    sets_of,
    stage_one,
    world_of,
)

from keras_avrep.models import InterferenceEraser

__all__ = [
    "COUNTS",
    "DEFAULTS",
    "LADDER",
    "SCHEDULE",
    "WORLD",
    "run_rung",
    "write_tables",
]

WORLD = world_of("unconstrained", 0)
KINDS = ("solo", "unconstrained")
COUNTS = {kind: ALL_COUNTS[kind] for kind in (*KINDS, "clean", "quiet")}
SCHEDULE = InterferenceEraser.presets["ier_tiny"]["schedule"]
# Seeds that every rung has, by which things were chosen; some have later ones besides.
FIRST_SEEDS = range(3)
# Of the off-screen filter: what most switches were measured from.
FIGURE = {"order": "figure"}
# rung → what it is called, preset, changes of the model, of stage one, of stage two
LADDER = {
    "csol": ("CSOL, optimiser starting anew", "csol_tiny", {}, {}, {}),
    "csol_shared_optimizer": (
        "CSOL, one optimiser: its preset",
        "csol_tiny",
        {},
        {"shared_optimizer": True},
        {},
    ),
    "full": ("IEr", "ier_tiny", {}, {}, {}),
    "figure_order": ("IEr in the order of the figure", "ier_tiny", FIGURE, {}, {}),
    "stage_one": ("IEr, stage one alone", "ier_tiny", FIGURE, {}, None),
    "no_identifier": (
        "one vector for all classes",
        "ier_tiny",
        {"identifier": False, **FIGURE},
        {},
        {},
    ),
    "no_curriculum": ("no curriculum", "ier_tiny", FIGURE, {"curriculum": False}, {}),
    "equal_volumes": ("equal volumes", "ier_tiny", FIGURE, {"range_db": 0.0}, {}),
    "known_classes": (
        "classes known, not clustered",
        "ier_tiny",
        FIGURE,
        {"known_classes": True},
        {},
    ),
    "high_tap": (
        "steps from the last layer",
        "ier_tiny",
        {"tap": "features", **FIGURE},
        {},
        {},
    ),
    "shared_optimizer": (
        "IEr, one optimiser",
        "ier_tiny",
        {},
        {"shared_optimizer": True},
        {},
    ),
    "no_silent_filter": (
        "no silent-object filter",
        "ier_tiny",
        {"silent_filter": False, **FIGURE},
        {},
        {},
    ),
    "no_off_screen_filter": (
        "no off-screen filter",
        "ier_tiny",
        {"off_screen_filter": False, **FIGURE},
        {},
        {},
    ),
    "no_identifier_notes": (
        "one vector for all classes, in the order of the notes",
        "ier_tiny",
        {"identifier": False},
        {},
        {},
    ),
    "seen_to_heard": (
        "KL(seen, heard) alone",
        "ier_tiny",
        FIGURE,
        {},
        {"direction": "first"},
    ),
    "heard_to_seen": (
        "KL(heard, seen) alone",
        "ier_tiny",
        FIGURE,
        {},
        {"direction": "second"},
    ),
}
# What README shows; the card has all of it.
IN_README = (
    "CSOL, one optimiser: its preset",
    "IEr",
    "IEr, sound of another video",
    "IEr in the order of the figure",
    "classes known, not clustered",
    "no silent-object filter",
    "no off-screen filter",
    "floor: average mask",
)
README_COLUMNS = (
    "seeds",
    "clean CIoU@0.3",
    "wild CIoU@0.3",
    "wild NSA",
    "wild, sounding over silent",
)
FLOORS = ("whole_image", "centred_square", "average_mask")
# Changes of the model that stage one does not see.
LATE = {"silent_filter", "off_screen_filter", "order"}


def run_rung(rung, seed, args):
    """Train and measure one rung."""
    _, preset, changes, first, second = LADDER[rung]
    folder = Path(args.runs) / f"ier{seed}"
    sets = sets_of(KINDS, preset, seed, args)
    began = time.time()
    schedule = schedule_of(preset, first)
    if schedule.pop("known_classes", False):
        schedule["labels"] = classes_of(rendered("solo", seed, args))
    early = {k: v for k, v in changes.items() if k not in LATE}
    parts = [preset, *(f"{k}_{v}" for k, v in {**early, **first}.items())]
    solos = folder / "-".join(parts)
    if preset == "csol_tiny":
        # That of the claims of CSOL, trained by whichever comes first.
        solos = folder.with_name(f"csol{seed}") / "_".join(["solo", *first])
    model, _ = stage_one(preset, solos, sets, seed, args, changes, schedule)
    training = {"losses": None}
    if second is not None:
        phases = model.training_phases(
            sets["solo"],
            sets["unconstrained"],
            learning_rate=args.learning_rate,
            seed=seed,
            mismatch_grid=2,
            **{**schedule, **second},
        )
        if preset == "ier_tiny":
            # Mixtures of solos are replayed with the clusters of stage one.
            labels_in(phases).assign(np.load(solos / "labels.npy"))
        training = run(phases[-1:], folder / rung, args)
    wild = scored(model, preset, "unconstrained", seed, args)
    if second is not None:
        keep(model, preset, folder / rung, wild)
    return {
        "seed": seed,
        "rung": rung,
        "losses": training["losses"],
        "solo": scored(model, preset, "solo", seed, args)["solo"],
        "clusters": wild["clusters"],
        "wild": wild["mixtures"],
        "clean": scored(model, preset, "clean", seed, args)["mixtures"],
        "quiet": scored(model, preset, "quiet", seed, args)["mixtures"],
        "seconds": round(time.time() - began),
    }


# --- tables -----------------------------------------------------------------------


def write_tables(results, root):
    """Put the tables into the card, some rows into README, and return them."""
    tables = [
        place_table(results),
        level_table(results),
        level_table(results, "quiet", ("0.0", "-5.0", "-10.0", "-15.0", "-20.0")),
        solo_table(results),
    ]
    table = "\n\n".join(tables)
    short = excerpt(tables[0], IN_README, README_COLUMNS)
    between_markers(root / "README.md", "ier-claims", short)
    between_markers(root / "keras_avrep/models/ier/CARD.md", "claims", table)
    return table


def cells(found, *path):
    """Mean and spread of what lies at a path of results, or a dash."""
    values = []
    for result in found:
        for key in path:
            result = (result or {}).get(key)
        if result is None:
            return "–"
        values.append(result)
    return spread(values)


def rungs(results):
    """Every rung with its title and results; those of later seeds stand apart."""
    for rung, (title, *_) in LADDER.items():
        of_rung = [r for r in results if r["rung"] == rung]
        if found := [r for r in of_rung if r["seed"] in FIRST_SEEDS]:
            yield rung, title, found
        if found := [r for r in of_rung if r["seed"] not in FIRST_SEEDS]:
            yield rung, f"{title}, later seeds", found


def place_table(results):
    """Where: clean and wild, with what is silent, and floors."""
    lines = [
        "| rung | seeds | clean CIoU@0.3 | wild CIoU@0.3 | wild AUC | wild NSA "
        "| of what is seen | wild, sounding over silent | entropy | off-screen mass |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]

    def row(title, found, version, mass=True):
        numbers = [
            cells(found, "clean", *version, "ciou_at_30"),
            cells(found, "wild", *version, "ciou_at_30"),
            cells(found, "wild", *version, "auc"),
            cells(found, "wild", *version, "nsa"),
            cells(found, "wild", *version, "nsa_visible_silent"),
            cells(found, "wild", *version, "sounding_over_silent"),
            cells(found, "wild", *version, "entropy_share"),
            cells(found, "wild", *version, "off_screen", "mass"),
        ]
        lines.append(f"| {title} | {len(found)} | " + " | ".join(numbers) + " |")

    for rung, title, found in rungs(results):
        row(title, found, ("model",))
        if rung in ("csol", "full"):
            row(f"{title}, sound of another video", found, ("shuffled",))
            whole = f"{title}, one correspondence map for all classes"
            row(whole, found, ("correspondence",))
    for floor in FLOORS:
        row(f"floor: {floor.replace('_', ' ')}", of_full(results), ("floors", floor))
    uniform = cells(of_full(results), "wild", "model", "off_screen", "uniform")
    line = "| a uniform distribution | {} | – | – | – | – | – | – | – | {} |"
    lines.append(line.format(len(of_full(results)), uniform))
    return "\n".join(lines)


def of_full(results):
    """Those of IEr itself: what all rungs of a seed share is told by them."""
    found = [r for r in results if r["rung"] == "full"]
    return [r for r in found if r["seed"] in FIRST_SEEDS] or found


def level_table(results, videos="wild", levels=("0.0", "-5.0", "-10.0", "-15.0")):
    """What is heard, by how far it is below the loudest."""
    results = [r for r in results if videos in r]
    lines = [
        f"| average precision of a source, {videos} videos | seeds | "
        + " | ".join(f"{float(level):.0f} dB" for level in levels)
        + " |",
        "|---" * (2 + len(levels)) + "|",
    ]

    def row(title, found, what):
        numbers = [
            cells(found, videos, "model", "levels", level, what) for level in levels
        ]
        if "–" not in numbers:
            lines.append(f"| {title} | {len(found)} | " + " | ".join(numbers) + " |")

    for _, title, found in rungs(results):
        row(title, found, "average_precision")
    row("chance", of_full(results), "chance")
    return "\n".join(lines)


def solo_table(results):
    """Solos in the end, class-free, beside floors."""
    lines = ["| solos | seeds | IoU@0.5 | AUC |", "|---|---|---|---|"]

    def row(title, found, *version):
        numbers = [cells(found, "solo", *version, k) for k in ("iou_at_50", "auc")]
        lines.append(f"| {title} | {len(found)} | " + " | ".join(numbers) + " |")

    for rung, title, found in rungs(results):
        if rung in (
            "csol",
            "csol_shared_optimizer",
            "full",
            "figure_order",
            "stage_one",
            "no_identifier",
        ):
            row(title, found, "model")
    for floor in FLOORS:
        row(f"floor: {floor.replace('_', ' ')}", of_full(results), "floors", floor)
    return "\n".join(lines)
