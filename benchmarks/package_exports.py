"""The LiteRT files of the smallest models with weights, checked and measured.

    python benchmarks/package_exports.py

Renders the videos that DCLR is compared and calibrated on, and those that CSOL is
compared on, and writes `exported/`, with what the files measured. Two minutes on two
CPU cores.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The package does it, too, but Keras is imported before it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from keras_avrep.cli.export import calibration_clips, real_clips
from keras_avrep.cli.export_localiser import real_moments
from keras_avrep.cli.run_folder import write_json
from keras_avrep.data import scan_folder
from keras_avrep.export import export_all, export_part
from keras_avrep.models import CSOL, DCLR
from keras_avrep.worlds import OrchestraWorld, ScenesWorld, render_world

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "exported"
RUNS = ROOT / "runs" / "exports"
VIDEO_MODEL, LOCALISER = "dclr_tiny_scenes", "csol_tiny_orchestra"


def export_video_model():
    """Three formats of the DCLR, on videos of the test split."""
    counts = {"train": 128, "test": 64}
    folder = render_world(ScenesWorld(), RUNS / "scenes", counts)
    manifest = scan_folder(folder)
    clip = DCLR.presets["dclr_tiny"]["clip"]
    formats = ("litert", "litert_dynamic", "litert_int8")
    return export_all(
        DCLR.from_preset(VIDEO_MODEL),
        FOLDER,
        real_clips(manifest.split("test"), clip),
        name=VIDEO_MODEL,
        formats=formats,
        calibration_clips=calibration_clips(manifest.split("train"), clip, formats),
    )


def export_localiser():
    """The CSOL with its two inputs, on composites that it has not seen."""
    world = OrchestraWorld("composite")
    folder = render_world(world, RUNS / "composites", {"test": 8})
    model = CSOL.from_preset(LOCALISER)
    moments = real_moments(model, scan_folder(folder).records, clip_of(LOCALISER))
    (name, part), *_ = model.inference_models().items()
    inputs = model.inference_inputs(name, moments)
    return export_part(part, FOLDER, inputs, name=LOCALISER, formats=("litert",))


def clip_of(name):
    return CSOL.presets[name]["clip"]


def main():
    rows = [*export_video_model(), *export_localiser()]
    write_json(FOLDER / "export.json", rows)
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
