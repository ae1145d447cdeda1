"""Which videos there are: a folder scanned into records, rejects listed."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from keras_avrep.data.files import write_text
from keras_avrep.data.media import VIDEO_SUFFIXES, MediaError
from keras_avrep.data.probe import probe
from keras_avrep.data.video_files import ANNOTATIONS, find_video_files

# Raised when `probe` looks at more, so that caches from before are not trusted.
CHECKS = 2


@dataclass(frozen=True)
class VideoRecord:
    """One usable video.

    Args:
        path: absolute path of the file.
        video_id: path relative to the manifest's root, with forward slashes.
        labels: dict from label name to class name; empty without labels.
        split: `"train"`, `"test"`, … or `None`.
        duration: seconds.
        num_frames: frames, estimated where the container does not say.
        fps: average frames per second.
        width: pixels as shown.
        height: pixels as shown.
        has_audio: whether there is a sound track.
        missing_seconds: how much longer the file says it is than it is; 0 where
            nothing is missing.
    """

    path: str
    video_id: str
    labels: dict[str, str] = field(default_factory=dict)
    split: str | None = None
    duration: float = 0.0
    num_frames: int = 0
    fps: float = 25.0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    missing_seconds: float = 0.0


@dataclass
class Manifest:
    """The records of a folder, and the files that had to be left out.

    Args:
        root: absolute path of the folder.
        records: list of `VideoRecord`.
        rejects: list of `{"path", "reason"}` of files that cannot be used.
        other_files: how many files with suffixes such as `.txt` and `.wav`, which
            are no videos, were left alone.

    Example:
    ```python
    manifest = keras_avrep.data.scan_folder("videos")
    manifest.write_rejects("rejects.jsonl")
    ```
    """

    root: str
    records: list[VideoRecord]
    rejects: list[dict[str, str]] = field(default_factory=list)
    other_files: int = field(default=0, kw_only=True)

    @property
    def label_names(self) -> list[str]:
        """Names of the labels that every record has."""
        if not self.records:
            return []
        shared = set.intersection(*(set(r.labels) for r in self.records))
        return sorted(shared)

    def classes(self, label: str) -> list[str]:
        """Sorted class names of one label."""
        return sorted({r.labels[label] for r in self.records if label in r.labels})

    def split(self, name: str) -> list[VideoRecord]:
        """The records of one split."""
        return [r for r in self.records if r.split == name]

    @property
    def seconds(self) -> float:
        """Total duration."""
        return sum(r.duration for r in self.records)

    @property
    def cut_short(self) -> list[VideoRecord]:
        """Records of files that end before the time that they say."""
        return [r for r in self.records if r.missing_seconds > 0]

    def save(self, path: str | os.PathLike) -> None:
        """Write as JSON, complete or not at all."""
        content = {
            "root": self.root,
            "records": [asdict(r) for r in self.records],
            "rejects": self.rejects,
            "other_files": self.other_files,
        }
        write_text(path, json.dumps(content, indent=1))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Manifest":
        """Read what `save` wrote.

        Raises:
            ValueError: if the file holds something else.
        """
        try:
            content = json.loads(Path(path).read_text())
            records = [VideoRecord(**r) for r in content["records"]]
            root, rejects = content["root"], content["rejects"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path} is no manifest of videos; `keras-avrep scan FOLDER --out "
                "manifest.json` writes one."
            ) from None
        return cls(root, records, rejects, other_files=content.get("other_files", 0))

    def write_rejects(self, path: str | os.PathLike) -> None:
        """Write one JSON line `{"path", "reason"}` for every reject."""
        # Escaped: names of files need not be UTF-8.
        lines = [json.dumps(r) + "\n" for r in self.rejects]
        write_text(path, "".join(lines))


def scan_folder(
    root: str | os.PathLike,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Find and check every video below a folder.

    Labels and splits come from `annotations.jsonl` in the folder where there is
    one (lines `{"video": path, "split": …, "labels": {…}}`); otherwise the
    first sub-folder is the label `class`, if every video lies in one and there
    are at least two.

    Args:
        root: the folder.
        cache: JSON file that keeps the result, by the path of each file; those
            whose size and time did not change are not opened again. Defaults to
            `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest`, ordered by path. Files that are no usable video are in
        `rejects` with the reason. Those that were cut short are taken as far as
        they go, and are in `cut_short`.

    Raises:
        ValueError: if `root` is no folder.

    Example:
    ```python
    manifest = keras_avrep.data.scan_folder("videos", cache="manifest.json")
    ```
    """
    root = Path(root).expanduser().resolve()
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; give a folder of videos.")
    files, other_files = find_video_files(root)
    entries = examine_files(files, root, cache, workers, progress)
    manifest = _assemble(root, entries)
    manifest.other_files = other_files
    return manifest


def split_records(
    records: list[VideoRecord], test_fraction: float = 0.25, seed: int = 0
) -> tuple[list[VideoRecord], list[VideoRecord]]:
    """Divide records into train and test, keeping splits that are given.

    Args:
        records: list of `VideoRecord`.
        test_fraction: float. Share of the test split. Defaults to 0.25.
        seed: int. Defaults to 0.

    Returns:
        Lists train and test. With a label `class`, every class is divided.

    Example:
    ```python
    train, test = keras_avrep.data.split_records(manifest.records)
    ```
    """
    if any(r.split in ("test", "val", "validation") for r in records):
        test = [r for r in records if r.split in ("test", "val", "validation")]
        train = [r for r in records if r.split in ("train", None)]
        return train, test
    train, test = [], []
    groups: dict[str, list[VideoRecord]] = {}
    for record in records:
        groups.setdefault(record.labels.get("class", ""), []).append(record)
    for name in sorted(groups):
        members = sorted(groups[name], key=lambda r: r.video_id)
        # The seed of a group does not depend on which other groups there are.
        digest = sum(name.encode()) % 2**31
        order = np.random.default_rng([seed, digest]).permutation(len(members))
        count = round(len(members) * test_fraction)
        if len(members) > 1:
            count = max(1, count)
        test += [members[i] for i in sorted(order[:count])]
        train += [members[i] for i in sorted(order[count:])]
    return train, test


def examine_files(
    files: list[Path],
    root: Path,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict]:
    """Open every file once; what the cache knows is not opened again.

    Args:
        files: list of paths below `root`.
        root: the folder that the names are relative to.
        cache: JSON file that keeps the result. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        dict from relative name to a dict with either `"info"`, the fields of
        `MediaInfo`, or `"reason"`, why the file cannot be used.

    Example:
    ```python
    entries = examine_files([root / "a.mp4"], root)
    ```
    """
    known = _read_cache(cache)
    entries = {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        results = pool.map(lambda f: _examine(f, known), files)
        for done, (path, entry) in enumerate(zip(files, results, strict=True), 1):
            entries[_relative(path, root)] = entry
            if progress is not None:
                progress(done, len(files))
    if cache is not None:
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
        # Several folders, and splits of one, may share a cache: keep what is known.
        examined = {str(f): entries[_relative(f, root)] for f in files}
        write_text(cache, json.dumps(known | examined))
    return entries


# --- one file ----------------------------------------------------------------


def _examine(path: Path, known: dict) -> dict:
    try:
        status = path.stat()
    except OSError as error:
        return {"stamp": None, "reason": f"cannot be read ({error.strerror})"}
    stamp = [status.st_size, status.st_mtime_ns, CHECKS]
    entry = known.get(str(path))
    if entry and entry.get("stamp") == stamp:
        return entry
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return {"stamp": stamp, "reason": f"{path.suffix or 'no suffix'}: not a video"}
    try:
        return {"stamp": stamp, "info": asdict(probe(path))}
    except MediaError as error:
        reason = str(error).removeprefix(f"{path}: ")
        return {"stamp": stamp, "reason": reason}
    except Exception as error:  # a broken file must not end a scan
        return {"stamp": stamp, "reason": f"{type(error).__name__}: {error}"}


def _read_cache(cache) -> dict:
    if cache is None or not Path(cache).is_file():
        return {}
    try:
        content = json.loads(Path(cache).read_text())
    except (OSError, ValueError):
        return {}
    content = content if isinstance(content, dict) else {}
    return {
        path: entry
        for path, entry in content.items()
        if isinstance(entry, dict) and (entry.get("stamp") or [])[2:] == [CHECKS]
    }


# --- labels --------------------------------------------------------------------


def _assemble(root: Path, entries: dict) -> Manifest:
    rejects = [
        {"path": name, "reason": entry["reason"]}
        for name, entry in entries.items()
        if "reason" in entry
    ]
    records = [
        VideoRecord(path=str(root / name), video_id=name, **entry["info"])
        for name, entry in entries.items()
        if "info" in entry
    ]
    if (root / ANNOTATIONS).is_file():
        annotations, bad = _read_annotations(root / ANNOTATIONS)
        rejects += bad
        rejects += [
            {"path": name, "reason": f"listed in {ANNOTATIONS} but not there"}
            for name in annotations
            if name not in entries
        ]
        records = [_annotated(r, annotations.get(r.video_id)) for r in records]
    else:
        records = _labelled_by_folder(records)
    return Manifest(str(root), records, rejects)


def _read_annotations(path: Path) -> tuple[dict, list]:
    annotations, bad = {}, []
    for number, line in enumerate(annotation_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            reason = _wrong_labels(entry)
            annotations[entry["video"]] = {} if reason else entry
        except (ValueError, KeyError, TypeError, AttributeError):
            reason = 'is not a JSON object with a "video"'
        if reason:
            bad.append({"path": f"{path.name}:{number}", "reason": reason})
    return annotations, bad


def annotation_lines(path: Path) -> list[str]:
    """Lines of an `annotations.jsonl`, whose names of files need not be UTF-8."""
    return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()


def _wrong_labels(entry: dict) -> str | None:
    """What is wrong with the labels of a line, if anything."""
    labels = entry.get("labels", {})
    if isinstance(labels, dict) and not any(
        value is None or isinstance(value, (dict, list)) for value in labels.values()
    ):
        return None
    return 'its "labels" are not a JSON object from name to label'


def _annotated(record: VideoRecord, annotation: dict | None) -> VideoRecord:
    if annotation is None:
        return record
    labels = {k: str(v) for k, v in annotation.get("labels", {}).items()}
    return replace(record, labels=labels, split=annotation.get("split"))


def _labelled_by_folder(records: list[VideoRecord]) -> list[VideoRecord]:
    folders = [r.video_id.split("/")[:-1] for r in records]
    splits = {"train", "test", "val", "validation"}
    if folders and all(f and f[0] in splits for f in folders):
        records = [
            replace(r, split=f[0]) for r, f in zip(records, folders, strict=True)
        ]
        folders = [f[1:] for f in folders]
    if not all(folders) or len({f[0] for f in folders}) < 2:
        return records
    return [
        replace(r, labels={"class": f[0]})
        for r, f in zip(records, folders, strict=True)
    ]


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
