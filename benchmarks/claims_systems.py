"""All systems on the same videos and budget: what each is good for.

Run by `python benchmarks/claims.py systems`. Every system trains its smallest
preset on the same videos for the same number of steps; the table goes to
`docs/choosing.md`. Beside them stand networks that were not trained, which see more
than one would think. About 10 minutes a system and seed on two CPU cores.
"""

import time
from pathlib import Path

import numpy as np
from claims_common import between_markers, fresh, probed, rendered, spread, trained

from keras_avrep.cli.training_run import recalibrate
from keras_avrep.models import DCLR, SYSTEMS, ConSTCL, system_of
from keras_avrep.worlds import ScenesWorld

DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
WORLD = ScenesWorld()
PLAIN = "instance contrast"
# The two backbones that the systems start from, batch norm estimated as theirs is.
UNTRAINED = {"untrained R(2+1)D": DCLR, "untrained 3-D ResNet": ConSTCL}
LADDER = {
    **UNTRAINED,
    PLAIN: DCLR,
    **{system.__name__: system for system in SYSTEMS},
}


def run_rung(rung, seed, args):
    """Train one system, or plain instance contrast, and measure it."""
    folder = Path(args.runs) / f"systems{seed}"
    manifest = rendered(ScenesWorld(seed=seed), folder / "data", COUNTS)
    system = LADDER[rung]
    preset = next(iter(system.presets))
    began = time.time()
    if rung in UNTRAINED:
        model, speed = untrained(preset, manifest, seed, args), None
    else:
        changes = system.baseline if rung == PLAIN else None
        run = folder / rung.replace(" ", "_")
        model, training = trained(preset, manifest, run, seed, args, changes)
        speed = training["clips_per_second"]
    seconds = time.time() - began
    return {
        "seed": seed,
        "rung": rung,
        "preset": preset,
        "parameters": int(model.backbone.count_params()),
        "clips_per_second": speed,
        "seconds": round(seconds),
        **probed(model, preset, manifest, seed),
    }


def untrained(preset, manifest, seed, args):
    """A fresh model whose batch norm has seen whole clips, and nothing else."""
    model = fresh(preset, manifest, seed, args)
    clip = system_of(preset).presets[preset]["clip"]
    recalibrate(model, manifest.split("pretrain"), clip, seed)
    return model


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
        pace = f"{np.mean([r['seconds'] for r in rows]):.0f}"
        line = [rung, str(len(rows)), *cells, size, pace]
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def write_tables(results, root):
    """Put the table into the page that compares the systems."""
    between_markers(root / "docs/choosing.md", "systems-claims", table(results))
    return table(results)
