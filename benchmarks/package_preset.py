"""The tiny preset with weights, and its LiteRT files, from a run of the demo.

    make demo
    python benchmarks/package_preset.py runs/demo

Writes `keras_avrep/models/dclr/presets/dclr_tiny_scenes/` (backbone weights and
configuration; no heads, twins or queues) and `exported/`.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_avrep.cli.export import calibration_clips, real_clips
from keras_avrep.data import scan_folder
from keras_avrep.export import export_all
from keras_avrep.models import DCLR

NAME = "dclr_tiny_scenes"
ROOT = Path(__file__).parents[1]
LARGEST = 2_000_000
KEPT = ("config.json", "task.json", "model.weights.h5", "metadata.json")


def package(run):
    """Copy what inference needs of the run's preset into the package."""
    target = ROOT / "keras_avrep/models/dclr/presets" / NAME
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in KEPT:
        source = run / "dclr" / "preset" / name
        if source.stat().st_size > LARGEST:
            raise SystemExit(f"{source} is larger than 2 MB.")
        shutil.copy(source, target / name)
    return DCLR.from_preset(str(target))


def export(model, run):
    """Write the LiteRT files and what they measured."""
    folder = ROOT / "exported"
    manifest = scan_folder(run / "data")
    clip = DCLR.presets["dclr_tiny"]["clip"]
    formats = ("litert", "litert_dynamic", "litert_int8")
    rows = export_all(
        model,
        folder,
        real_clips(manifest.split("test"), clip),
        name=NAME,
        formats=formats,
        calibration_clips=calibration_clips(manifest.split("train"), clip, formats),
    )
    print(json.dumps(rows, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished demo")
    run = parser.parse_args().run
    export(package(run), run)


if __name__ == "__main__":
    main()
