"""The LiteRT files of the tiny DCLR with weights, from a run of the demo.

    make demo
    python benchmarks/package_preset.py dclr runs/demo/dclr
    python benchmarks/package_exports.py runs/demo

Writes `exported/`, with what the files measured.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_avrep.cli.export import calibration_clips, real_clips
from keras_avrep.data import scan_folder
from keras_avrep.export import export_all
from keras_avrep.models import DCLR

NAME = "dclr_tiny_scenes"
ROOT = Path(__file__).parents[1]


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
    export(DCLR.from_preset(NAME), run)


if __name__ == "__main__":
    main()
