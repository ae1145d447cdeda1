"""Reads a run directory; what is missing or broken is left out, never fatal."""

import csv
import json
import math
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

BASELINE = "baseline"


@dataclass
class ModelRun:
    """What one trained model left in its folder."""

    name: str
    title: str
    scores: dict = field(default_factory=dict)
    history: dict[str, np.ndarray] = field(default_factory=dict)
    probe: dict[str, np.ndarray] = field(default_factory=dict)
    features: dict[str, np.ndarray] = field(default_factory=dict)
    gallery: dict[str, np.ndarray] = field(default_factory=dict)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, np.ndarray] = field(default_factory=dict)
    sounding: dict[str, np.ndarray] = field(default_factory=dict)
    changes: dict = field(default_factory=dict)


@dataclass
class Run:
    """A run directory in memory."""

    name: str
    summary: dict
    rejects: list[dict]
    models: list[ModelRun]
    unreadable: list[str]
    folder: Path | None = None

    @property
    def data(self) -> dict:
        """What the summary says about the videos."""
        return as_dict(self.summary.get("data"))

    def show_path(self, path) -> str:
        """A path without the part that only means something on one machine."""
        text = str(path).replace("\\", "/")
        folder = str(self.data.get("folder") or "").replace("\\", "/").rstrip("/")
        if folder and text.startswith(folder + "/"):
            return text[len(folder) + 1 :]
        drive = len(text) > 2 and text[1:3] == ":/"
        outside = text.startswith(("/", "~", "../")) or drive
        return text.rsplit("/", 1)[-1] if outside else text

    def show_text(self, text) -> str:
        """A message whose words are shortened where they are machine paths."""
        folder = str(self.data.get("folder") or "").rstrip("/\\")
        text = str(text)
        for prefix in (folder + "/", folder + "\\") if len(folder) > 1 else ():
            text = text.replace(prefix, "")
        words = text.split(" ")
        return " ".join(_bare_word(word) for word in words)


def read_run(run_dir: str | os.PathLike) -> Run:
    """Reads everything the report can use from a run directory.

    Args:
        run_dir: folder with `summary.json` and one folder for each model, or of
            a single model.

    Returns:
        A `Run`. Files that are there but cannot be read are named in
        `unreadable`.
    """
    root = Path(run_dir)
    if not root.is_dir():
        raise FileNotFoundError(f"There is no run directory at {root}.")
    unreadable: list[str] = []
    summary = _read_object(root / "summary.json", unreadable)
    rejects = _read_rejects(root / "rejects.jsonl", unreadable)
    folders = _model_folders(root, summary)
    models = [_read_model(f, name, summary, unreadable) for name, f in folders.items()]
    return Run(root.resolve().name, summary, rejects, models, unreadable, root)


def number(value) -> float | None:
    """A finite float, or `None` for everything that is not one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def as_dict(value) -> dict:
    """The value where it is a dict, else an empty one."""
    return value if isinstance(value, dict) else {}


def _bare_word(word: str) -> str:
    stripped = word.strip("'\"`():,;[]")
    if stripped.startswith(("/", "~/")) and stripped.count("/") > 1:
        return word.replace(stripped, stripped.rsplit("/", 1)[-1])
    return word


def _read_object(path: Path, unreadable: list[str], name: str = "") -> dict:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        unreadable.append(name or path.name)
    return as_dict(found)


def _read_changes(path: Path, unreadable: list[str]) -> dict:
    """What was changed of a preset to make a model, by constructor argument."""
    config = _read_object(path, unreadable, f"{path.parent.name}/{path.name}")
    return as_dict(config.get("changes"))


def _read_rejects(path: Path, unreadable: list[str]) -> list[dict]:
    if not path.is_file():
        return []
    rejects, broken = [], False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            rejects.append(record)
        else:
            broken = True
    if broken:
        unreadable.append(f"{path.name} (some lines)")
    return rejects


def _model_folders(root: Path, summary: dict) -> dict[str, Path]:
    """Folder of each model: the run's own where it trained just one."""
    if (root / "history.csv").is_file():
        return {str(summary.get("model") or root.resolve().name): root}
    names = {path.parent.name for path in root.glob("*/history.csv")}
    for name, value in summary.items():
        if {"retrieval", "probe", "localisation"} & set(as_dict(value)):
            names.add(name)
    # The baseline is what the others are compared with, so it comes last.
    names = sorted(names, key=lambda name: (name == BASELINE, name))
    return {name: root / name for name in names}


def _read_model(folder: Path, name: str, summary: dict, unreadable: list) -> ModelRun:
    changes = _read_changes(folder / "run.json", unreadable)
    return ModelRun(
        name=name,
        title=_title(name, summary, changes),
        scores=as_dict(summary.get(name)),
        history=_read_history(folder / "history.csv", unreadable),
        probe=_read_history(folder / "probe.csv", unreadable),
        features=_read_arrays(folder / "features.npz", unreadable),
        gallery=_read_arrays(folder / "gallery.npz", unreadable),
        maps=_read_arrays(folder / "maps.npz", unreadable),
        units=_read_arrays(folder / "units.npz", unreadable),
        sounding=_read_arrays(folder / "sounding.npz", unreadable),
        changes=changes,
    )


def _title(name: str, summary: dict, changes: dict) -> str:
    titles = as_dict(summary.get("titles"))
    if titles.get(name) or name != BASELINE:
        return str(titles.get(name) or name)
    terms = loss_terms(changes)
    if not terms:
        return "Baseline"
    # What is in brackets stays on one line, also in a narrow table.
    return f"Baseline ({' + '.join(terms)}\u00a0alone)"


def loss_terms(changes: dict) -> list[str]:
    """Names of the terms that a model's loss was changed to have, if it was."""
    return [
        str(name)
        for name, weight in as_dict(changes.get("loss_weights")).items()
        if number(weight)
    ]


def _read_history(path: Path, unreadable: list[str]) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            names = [name for name in reader.fieldnames or [] if name]
    except (OSError, csv.Error):
        unreadable.append(f"{path.parent.name}/{path.name}")
        return {}
    columns = {}
    for name in names:
        values = [number(row.get(name)) for row in rows]
        column = np.array([np.nan if v is None else v for v in values], "float64")
        if np.isfinite(column).any():
            columns[name] = column
    return columns


def _read_arrays(path: Path, unreadable: list[str]) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    arrays, broken = {}, False
    try:
        with np.load(path, allow_pickle=False) as stored:
            for key in stored.files:
                try:
                    arrays[key] = stored[key]
                except (ValueError, OSError, EOFError, zipfile.BadZipFile):
                    broken = True
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        broken = True
    if broken:
        unreadable.append(f"{path.parent.name}/{path.name}")
    return arrays
