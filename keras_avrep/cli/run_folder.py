"""A run folder: what was asked for, what came out, so commands find each other."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "keras-avrep",
    "keras",
    "keras-hub",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "av",
    "grain",
    "ai-edge-litert",
)


def read_json(path) -> dict:
    """A JSON object, empty if the file is not there."""
    path = Path(path)
    return json.loads(path.read_text()) if path.exists() else {}


def write_json(path, content) -> None:
    """Write JSON, complete or not at all."""
    from keras_avrep.data.files import write_text

    write_text(path, json.dumps(content, indent=1))


def versions() -> dict:
    """Versions of what a result depends on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check_same_run(folder, config) -> None:
    """Refuse to mix two configurations in one run folder.

    Raises:
        ValueError: naming the first argument that differs.
    """
    path = Path(folder) / "run.json"
    config = json.loads(json.dumps(config))
    before = read_json(path)
    for name in {**before, **config} if before else ():
        # More steps of the same run are no other run.
        if name != "steps" and before.get(name) != config.get(name):
            raise ValueError(
                f"{folder} holds a run with {name} {before.get(name)!r}, now it is "
                f"{config.get(name)!r}; use the same arguments to resume or another "
                "--out."
            )
    write_json(path, config)


def clip_arguments(config) -> dict:
    """`num_frames`, `stride` and `size` of a run's clips at evaluation."""
    clip = config["clip"]
    return {
        "num_frames": clip["num_frames"],
        "stride": clip["stride"],
        "size": clip["view_size"],
    }


def load_run_model(folder):
    """The trained model of a run folder or preset, and its `run.json`.

    Raises:
        ValueError: if the folder holds neither.
    """
    from keras_avrep.models import DCLR
    from keras_avrep.models.dclr.dclr_presets import PRESETS

    folder = str(folder)
    if folder in PRESETS:
        clip = dict(PRESETS[folder]["clip"])
        clip["view_size"] = PRESETS[folder]["views"]["size"]
        return DCLR.from_preset(folder), {"clip": clip, "preset": folder}
    preset = Path(folder) / "preset"
    if not (preset / "config.json").exists():
        raise ValueError(
            f"{folder} is neither a preset nor a folder of a finished run; run "
            "`keras-avrep pretrain VIDEOS --out RUN` first."
        )
    return DCLR.from_preset(str(preset)), read_json(Path(folder) / "run.json")
