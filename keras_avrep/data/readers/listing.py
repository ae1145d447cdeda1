"""What all dataset readers share: listed videos become a manifest."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keras_avrep.data.manifest import Manifest, VideoRecord, examine_files
from keras_avrep.data.media import VIDEO_SUFFIXES

NOT_THERE = "but not there"


@dataclass(frozen=True)
class Listed:
    """One video that an annotation file lists.

    Args:
        names: places where it may lie, relative to the videos folder, with
            forward slashes; the first is the official one.
        source: name of the annotation file.
        split: `"train"`, `"test"` or `"val"`.
        label: class name, or `None` where the annotation gives none.
        key: what the dataset calls the video, or `None` where nothing refers to
            that.
    """

    names: tuple[str, ...]
    source: str
    split: str
    label: str | None = None
    key: str | None = None


@dataclass
class Listing:
    """The videos of all annotation files, and the lines that make no sense."""

    videos: list[Listed] = field(default_factory=list)
    rejects: list[dict[str, str]] = field(default_factory=list)

    def reject(self, path: str, reason: str) -> None:
        """Note a line or a video that has to be left out."""
        self.rejects.append({"path": path, "reason": reason})


class Finder:
    """Finds listed videos, reading every folder only once.

    A video may have another suffix than its annotation says, so that copies
    made by `prepare_videos` are found as well.

    Args:
        root: the videos folder.
        ignore_case: bool. Whether `A.avi` may be found as `a.avi`. Defaults to
            `False`.
    """

    def __init__(self, root: Path, ignore_case: bool = False):
        self.root = root
        self.ignore_case = ignore_case
        self._folders: dict[str, tuple[set[str], dict[str, str]]] = {}

    def find(self, names: tuple[str, ...]) -> str | None:
        """The first of `names` that is there, as it is spelled on the disk."""
        for name in names:
            folder, _, base = name.rpartition("/")
            # An annotation must not lead out of the videos folder.
            if folder.startswith("/") or ".." in folder.split("/"):
                continue
            if folder not in self._folders:
                self._folders[folder] = self._read(self.root / folder)
            files, by_stem = self._folders[folder]
            found = base if base in files else by_stem.get(self._stem(base))
            if found is not None:
                return f"{folder}/{found}" if folder else found
        return None

    def _read(self, folder: Path) -> tuple[set[str], dict[str, str]]:
        files, by_stem = set(), {}
        for base in sorted(os.listdir(folder)) if folder.is_dir() else []:
            suffix = Path(base).suffix.lower()
            if not base.startswith(".") and suffix in VIDEO_SUFFIXES:
                files.add(base)
                by_stem.setdefault(self._stem(base), base)
        return files, by_stem

    def _stem(self, base: str) -> str:
        stem = Path(base).stem
        return stem.casefold() if self.ignore_case else stem


def build_manifest(
    root: Path,
    listing: Listing,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
    ignore_case: bool = False,
) -> Manifest:
    """Look for the listed videos, open them and make a manifest.

    Args:
        root: the videos folder.
        listing: what the annotation files say.
        cache: as of `scan_folder`. Defaults to `None`.
        workers: as of `scan_folder`. Defaults to 2.
        progress: as of `scan_folder`. Defaults to `None`.
        ignore_case: as of `Finder`. Defaults to `False`.

    Returns:
        `Manifest`, ordered by path. Nonsense lines, missing, doubly listed and
        unreadable videos are in `rejects`.

    Example:
    ```python
    manifest = build_manifest(Path("videos"), listing)
    ```
    """
    found, rejects = locate(Finder(root, ignore_case), listing)
    return open_videos(root, found, rejects, cache, workers, progress)


def open_videos(
    root: Path,
    found: dict[str, Listed],
    rejects: list[dict[str, str]],
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Open the videos that `locate` found and make a manifest.

    Args:
        root: the videos folder.
        found: dict from name on the disk to what is listed.
        rejects: what had to be left out so far.
        cache: as of `scan_folder`. Defaults to `None`.
        workers: as of `scan_folder`. Defaults to 2.
        progress: as of `scan_folder`. Defaults to `None`.

    Returns:
        `Manifest`, ordered by path.
    """
    rejects = list(rejects)
    files = [root / name for name in sorted(found)]
    entries = examine_files(files, root, cache, workers, progress)
    records = []
    for name, entry in entries.items():
        if "reason" in entry:
            rejects.append({"path": name, "reason": entry["reason"]})
            continue
        video = found[name]
        labels = {} if video.label is None else {"class": video.label}
        record = VideoRecord(
            str(root / name), name, labels, video.split, **entry["info"]
        )
        records.append(record)
    return Manifest(str(root), records, rejects)


def missing_videos(manifest: Manifest) -> list[str]:
    """Videos that an annotation lists and that are not in the folder.

    Args:
        manifest: from a dataset reader or `scan_folder`.

    Returns:
        List of the official names; its length is the count.

    Example:
    ```python
    manifest = keras_avrep.data.read_kinetics("k400", "k400/val.csv", "val")
    print(len(keras_avrep.data.missing_videos(manifest)), "clips are missing")
    ```
    """
    return [r["path"] for r in manifest.rejects if r["reason"].endswith(NOT_THERE)]


def locate(finder: Finder, listing: Listing) -> tuple[dict[str, Listed], list]:
    """The listed videos by their name on the disk, and the rejects.

    Args:
        finder: of the videos folder.
        listing: what the annotation files say.

    Returns:
        Dict from name on the disk to `Listed`, and a list of nonsense lines,
        missing and doubly listed videos.
    """
    found: dict[str, Listed] = {}
    rejects = list(listing.rejects)
    for video in listing.videos:
        name = finder.find(video.names)
        if name is None:
            reason = f"listed in {video.source} {NOT_THERE}"
            rejects.append({"path": video.names[0], "reason": reason})
        elif name in found:
            # Keeping both would let a training video into the test split.
            reason = f"listed in {found[name].source} and again in {video.source}"
            rejects.append({"path": name, "reason": reason})
        else:
            found[name] = video
    return found, rejects
