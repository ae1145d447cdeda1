"""A run folder: what was asked for, what came out, so commands find each other."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CLIP_FILE = "clip.json"
# Of a preset that does not say: what video networks are mostly trained on.
DEFAULT_CLIP = {"num_frames": 16, "stride": 2, "size": 128, "view_size": 112}
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

    Until something has been learned there, a corrected command may take it over.

    Raises:
        ValueError: naming the first argument that differs.
    """
    path = Path(folder) / "run.json"
    config = json.loads(json.dumps(config))
    traces = ("checkpoints/last.npz", "preset/config.json")
    learned = any(any(Path(folder).glob(f"**/{trace}")) for trace in traces)
    before = read_json(path) if learned else {}
    for name in {**before, **config} if before else ():
        # More steps of the same run are no other run.
        if name != "steps" and before.get(name) != config.get(name):
            raise ValueError(
                f"{folder} holds a run with {name} {before.get(name)!r}, now it is "
                f"{config.get(name)!r}; use the same arguments to resume or another "
                "--out."
            )
    write_json(path, config)


def weights_digest(model) -> str:
    """What tells the weights of a model's representation from others."""
    import hashlib

    digest = hashlib.sha256()
    for weight in model.representation.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


def is_run(folder) -> bool:
    """Whether a path is the folder of a run, rather than a preset."""
    return (Path(folder) / "run.json").exists()


def update_summary(folder, parts) -> None:
    """Add to `summary.json` of a run, which the report is written from."""
    path = Path(folder) / "summary.json"
    write_json(path, {**read_json(path), **parts})


def describe_data(manifest, out, parts=None) -> dict:
    """What a summary says of the videos.

    Args:
        manifest: `keras_avrep.data.Manifest`.
        out: run folder; a folder of videos inside is named relative to it.
        parts: dict from what videos were for, such as `"trained_on"`, `"gallery"`
            and `"test"`, to their records. Defaults to `None`.

    Returns:
        Dict of `folder`, `videos`, `rejected`, `seconds`, by label that the test
        videos have, the class names as `labels`, and the number of videos of each
        of `parts` by its name; `videos` counts all that are usable.
    """
    records = manifest.split("test") or manifest.records
    names = sorted(set.intersection(*(set(r.labels) for r in records)))
    root = Path(manifest.root)
    inside = root.is_relative_to(Path(out).resolve())
    return {
        "folder": "data" if inside else root.name,
        "videos": count_videos(manifest.records),
        "rejected": len(manifest.rejects),
        "seconds": manifest.seconds,
        "labels": {name: manifest.classes(name) for name in names},
        **{name: count_videos(part) for name, part in (parts or {}).items()},
    }


def interrupted_line(folder) -> str:
    """What Ctrl-C leaves of a run, and what to do."""
    if any(Path(folder).glob("checkpoints/[!.]*.npz")):
        return f"\nSaved in {folder}; run the same command again to resume."
    return "\nNothing has been trained yet; run the same command again to start."


def count_videos(records) -> int:
    """How many videos some records are of."""
    return len({r.video_id for r in records})


def clip_arguments(config) -> dict:
    """`num_frames`, `stride` and `size` of a run's clips at evaluation."""
    clip = config["clip"]
    if "num_frames" not in clip:
        raise ValueError(
            "This model finds what sounds and has no features of clips; use "
            "`keras-avrep localize`, or `evaluate`."
        )
    return {
        "num_frames": clip["num_frames"],
        "stride": clip["stride"],
        "size": clip["view_size"],
    }


def load_run_model(folder):
    """The trained model of a run folder, a preset or a preset directory.

    Args:
        folder: run folder, built-in name with weights, or a directory that
            `save_to_preset` wrote, of a whole task or just of a backbone.

    Returns:
        A model with a `representation` and a `backbone`, and a dict with its
        `clip`: `num_frames`, `stride`, `size`, `view_size`.

    Raises:
        ValueError: if it is none of those.
    """
    from keras_avrep.models import system_of

    system = system_of(str(folder))
    if system is not None:
        preset = system.presets[str(folder)]
        clip = {**preset["clip"], "view_size": preset["views"]["size"]}
        if packaged := system.packaged_weights(str(folder)):
            clip |= read_json(packaged / CLIP_FILE)
        return system.from_preset(str(folder)), {"clip": clip, "preset": str(folder)}
    folder, preset = Path(folder), preset_folder(folder)
    config = read_json(folder / "run.json")
    # The preset knows more than what was asked for at first: names of clusters, say.
    clip = {**config.get("clip", {}), **read_json(preset / CLIP_FILE)}
    config["clip"] = clip or DEFAULT_CLIP
    return load_preset_model(preset), config


def preset_folder(folder):
    """The directory of the preset that a run folder holds, or that it is.

    Raises:
        ValueError: if there is none.
    """
    folder = Path(folder)
    for preset in (folder / "preset", folder):
        if (preset / "config.json").exists():
            return preset
    raise ValueError(
        f"{folder} is neither a preset nor a folder of a finished run; run "
        "`keras-avrep pretrain VIDEOS --out RUN` first."
    )


def starting_backbone(place, system):
    """The trained backbone of a preset, for a fresh model of a system.

    Args:
        place: run folder, built-in name with weights, or a directory that
            `save_to_preset` wrote, of a whole task or just of a backbone, as
            `keras-avrep convert` writes it.
        system: class of a system.

    Returns:
        A backbone of the system's kind.

    Raises:
        ValueError: if there is none, or it is of another kind.
    """
    from keras_avrep.models import system_of

    owner, wanted = system_of(str(place)), system.backbone_cls
    preset = owner.packaged_weights(str(place)) if owner else preset_folder(place)
    if preset is None:
        raise ValueError(f"The preset {place!r} is a configuration without weights.")
    kind = read_json(preset / "config.json").get("class_name")
    if kind != wanted.__name__:
        raise ValueError(
            f"{place} holds {kind}; {system.__name__} starts from {wanted.__name__}."
        )
    return wanted.from_preset(str(preset))


def class_names(model, config):
    """Names of a trained classifier's classes, in the order of its logits.

    Args:
        model: what `load_run_model` gave.
        config: the dict that it gave.

    Returns:
        List of strings, numbers where the preset does not know names; `None` of a
        model that is no classifier.
    """
    from keras_avrep.models import VideoClassifier

    # A backbone alone is loaded as a classifier of one class.
    if not isinstance(model, VideoClassifier) or model.num_classes == 1:
        return None
    numbers = [str(number) for number in range(model.num_classes)]
    return config["clip"].get("classes", numbers)


def load_preset_model(preset):
    """The model of a preset directory, whichever class wrote it."""
    import keras

    from keras_avrep.models import VideoClassifier

    task = read_json(preset / "task.json")
    if not task:
        return VideoClassifier.from_preset(str(preset), num_classes=1)
    cls = keras.saving.get_registered_object(task["registered_name"])
    if cls is None:
        raise ValueError(
            f"{preset} holds a {task['class_name']}, which is no model of this library."
        )
    return cls.from_preset(str(preset))
