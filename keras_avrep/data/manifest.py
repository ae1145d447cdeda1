"""Which videos there are: a folder scanned into records, rejects listed."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from keras_avrep.data.annotations import folder_labels, read_annotations
from keras_avrep.data.files import write_text
from keras_avrep.data.media import VIDEO_SUFFIXES, MediaError
from keras_avrep.data.probe import probe
from keras_avrep.data.video_files import ANNOTATIONS, find_video_files

# Raised when `probe` looks at more, so that caches from before are not trusted.
CHECKS = 5


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
        source: of one of several pieces of a video, that video; else `None`.
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
    source: str | None = None


@dataclass
class Manifest:
    """The records of a folder, and the files that had to be left out.

    Args:
        root: absolute path of the folder.
        records: list of `VideoRecord`.
        rejects: list of `{"path", "reason"}` of files that cannot be used.
        other_files: how many files with suffixes such as `.txt` and `.wav`, which
            are no videos, were left alone.
        notes: list of strings, such as why folders are not taken as labels.

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
    notes: list[str] = field(default_factory=list, kw_only=True)

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
            "notes": self.notes,
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
            later = {k: content[k] for k in ("other_files", "notes") if k in content}
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path} is no manifest of videos; `keras-avrep scan FOLDER --out "
                "manifest.json` writes one."
            ) from None
        return cls(root, records, rejects, **later)

    def write_rejects(self, path: str | os.PathLike) -> None:
        """Write one JSON line `{"path", "reason"}` for every reject."""
        _write_lines(path, self.rejects)

    def write_cut_short(self, path: str | os.PathLike) -> None:
        """Write one JSON line `{"path", "missing_seconds"}` for every record that
        is in `cut_short`."""
        lines = [
            {"path": r.video_id, "missing_seconds": round(r.missing_seconds, 3)}
            for r in self.cut_short
        ]
        _write_lines(path, lines)


def scan_folder(
    root: str | os.PathLike,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Find and check every video below a folder.

    Labels and splits come from `annotations.jsonl` in the folder where there is
    one (lines `{"video": path, "split": …, "labels": {…}}`); otherwise the
    first sub-folder is the label `class`, if every video lies in one, there are
    at least two and one of them holds several videos. Where folders are not taken
    as labels, `notes` says why.

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
    manifest = keras_avrep.data.scan_folder("videos", cache="scan_cache.json")
    ```
    """
    root = Path(root).expanduser().resolve()
    if not root.is_dir():
        raise ValueError(f"{root} is not a folder; give a folder of videos.")
    files, other_files, unread = find_video_files(root)
    entries = examine_files(files, root, cache, workers, progress)
    manifest = _assemble(root, entries)
    manifest.rejects += unread
    manifest.other_files = other_files
    return manifest


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
    try:
        with ThreadPoolExecutor(max(1, workers)) as pool:
            # In the loop: under a name of its own it would outlive Ctrl-C, and all
            # other files would still be opened.
            for done, (path, entry) in enumerate(
                zip(files, pool.map(lambda f: _examine(f, known), files), strict=True),
                1,
            ):
                entries[_relative(path, root)] = entry
                if progress is not None:
                    progress(done, len(files))
    finally:
        # Also of a scan that is interrupted.
        if cache is not None:
            _write_cache(cache, known, files, root, entries)
    return entries


def _write_cache(cache, known: dict, files, root: Path, entries: dict) -> None:
    """Keep what is known: several folders, and splits of one, may share a cache."""
    Path(cache).parent.mkdir(parents=True, exist_ok=True)
    names = {str(f): _relative(f, root) for f in files}
    examined = {f: entries[name] for f, name in names.items() if name in entries}
    write_text(cache, json.dumps(known | examined))


# --- one file ----------------------------------------------------------------


def _examine(path: Path, known: dict) -> dict:
    try:
        status = path.stat()
    except OSError as error:
        return {"stamp": None, "reason": f"cannot be read ({error.strerror})"}
    stamp = [status.st_size, status.st_mtime_ns, CHECKS]
    entry = known.get(str(path))
    # What could not be read may be read today.
    if entry and entry.get("stamp") == stamp and "info" in entry:
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
        annotations, bad = read_annotations(root / ANNOTATIONS)
        rejects += bad
        rejects += [
            {"path": name, "reason": f"listed in {ANNOTATIONS} but not there"}
            for name in annotations
            if name not in entries
        ]
        said = [annotations.get(r.video_id, {}) for r in records]
        notes = []
    else:
        said, notes = folder_labels([r.video_id for r in records])
    records = [replace(r, **s) for r, s in zip(records, said, strict=True)]
    records = [_with_source_of_link(r, root) for r in records]
    return Manifest(str(root), records, rejects, notes=notes)


def _with_source_of_link(record: VideoRecord, root: Path) -> VideoRecord:
    """A record that stays, as a piece of it would, with the video that it links to."""
    if record.source or not os.path.islink(record.path):
        return record
    target = os.path.realpath(record.path)
    if os.path.commonpath([target, root]) != str(root):
        return replace(record, source=target)
    return replace(record, source=os.path.relpath(target, root).replace(os.sep, "/"))


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _write_lines(path, entries) -> None:
    # Escaped: names of files need not be UTF-8.
    write_text(path, "".join(json.dumps(entry) + "\n" for entry in entries))
