"""All systems on the same videos and budget: what each is good for.

Run by `python benchmarks/claims.py systems`. Every system trains its smallest
preset on the same videos for the same number of steps; the table goes to
`docs/choosing.md`. Beside them stand networks that were not trained, which see more
than one would think. About 10 minutes a system and seed on two CPU cores.
"""

from pathlib import Path

import numpy as np
from claims_common import (
    between_markers,
    probed,
    rendered,
    run_folder,
    spread,
    trained,
    untrained,
)

from keras_avrep.models import DCLR, SYSTEMS, ConSTCL
from keras_avrep.worlds import ScenesWorld

DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
WORLD = ScenesWorld()
PLAIN = "instance contrast"
# The backbone of the first three systems and that of ConST-CL, batch norm estimated as
# theirs is; TeG has another 3-D ResNet.
UNTRAINED = {"untrained R(2+1)D": DCLR, "untrained 3-D ResNet": ConSTCL}
LADDER = {
    **UNTRAINED,
    PLAIN: DCLR,
    **{system.__name__: system for system in SYSTEMS},
}


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    folder = Path(args.runs) / f"systems{seed}"
    manifest = rendered(ScenesWorld(seed=seed), folder / "data", COUNTS)
    preset = preset_of(rung)
    if rung in UNTRAINED:
        return *untrained(preset, manifest, seed, args), manifest
    changes = LADDER[rung].baseline if rung == PLAIN else None
    run = run_folder(folder, rung, args)
    return *trained(preset, manifest, run, seed, args, changes), manifest


def measure_rung(rung, seed, args, model, manifest):
    """Probes, and the size of the backbone."""
    return {
        "preset": preset_of(rung),
        "parameters": int(model.backbone.count_params()),
        **probed(model, preset_of(rung), manifest, seed),
    }


def preset_of(rung):
    """The smallest preset of a rung's system."""
    return next(iter(LADDER[rung].presets))


def table(results):
    """A markdown table of means and spreads over seeds."""
    head = ["system", "seeds", "motion kNN", "motion linear", "scene kNN"]
    head += ["scene linear", "backbone", "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for rung in LADDER:
        rows = [r for r in results if r["rung"] == rung]
        if not rows:
            continue
        cells = [
            spread([r["probe"][label][kind] for r in rows])
            for label in ("motion", "scene")
            for kind in ("knn", "linear")
        ]
        size = f"{rows[0]['parameters'] / 1e6:.2f} M"
        pace = f"{np.mean([seconds_of(r) for r in rows]):.0f}"
        line = [rung, str(len(rows)), *cells, size, pace]
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def seconds_of(result):
    """Seconds of the training; older results have no others."""
    return result.get("training_seconds") or result["seconds"]


def write_tables(results, root):
    """Put the table into the page that compares the systems."""
    between_markers(root / "docs/choosing.md", "systems-claims", table(results))
    return table(results)
