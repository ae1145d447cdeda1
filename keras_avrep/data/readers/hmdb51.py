"""HMDB-51: 51 human actions, three official splits, one file for every class."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.manifest import Manifest
from keras_avrep.data.media import VIDEO_SUFFIXES
from keras_avrep.data.readers.files import folder_of, lines_of
from keras_avrep.data.readers.listing import Listed, Listing, build_manifest

SPLIT_OF_MARK = {"1": "train", "2": "test"}
UNUSED = "0"


def read_hmdb51(
    videos: str | os.PathLike,
    splits: str | os.PathLike,
    split: int = 1,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Read HMDB-51 with one of its official splits.

    The label `class` comes from the name of the split file, such as
    `brush_hair`. Videos marked 0, and videos that no split file names, are
    ignored. The suffix of a video may differ from the listed one.

    Args:
        videos: folder with one sub-folder of videos for every class.
        splits: the folder `testTrainMulti_7030_splits`.
        split: int. Number of the official split, 1 to 3. Defaults to 1.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            splits may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest` with the splits `"train"` and `"test"`. Missing and unreadable
        videos are in `rejects` with the reason.

    Raises:
        ValueError: if `split` is unknown, a folder is missing, or the split file of
            a class is missing or empty.

    Example:
    ```python
    manifest = keras_avrep.data.read_hmdb51("hmdb51", "testTrainMulti_7030_splits")
    ```
    """
    if split not in (1, 2, 3):
        raise ValueError(f"`split` is {split!r}; give 1, 2 or 3.")
    root, lists = folder_of("videos", videos), folder_of("splits", splits)
    ending = f"_test_split{split}.txt"
    files = sorted(lists.glob(f"*{ending}"))
    if not files:
        raise ValueError(
            f"`splits` {lists} has no file CLASS{ending}; give the folder with the "
            "official split files."
        )
    _check_classes(root, {f.name.removesuffix(ending) for f in files}, lists, ending)
    listing = Listing()
    for path in files:
        _read_split(path, path.name.removesuffix(ending), listing)
    return build_manifest(
        root, listing, cache=cache, workers=workers, progress=progress
    )


def _check_classes(root: Path, listed: set[str], lists: Path, ending: str) -> None:
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in listed and _has_videos(folder):
            raise ValueError(
                f"The split file {lists / (folder.name + ending)} is missing though "
                f"{folder} has videos; add the file or move the folder away."
            )


def _has_videos(folder: Path) -> bool:
    return any(p.suffix.lower() in VIDEO_SUFFIXES for p in folder.iterdir())


def _read_split(path: Path, label: str, listing: Listing) -> None:
    for place, line in lines_of(path):
        name, _, mark = line.rpartition(" ")
        if name and mark in SPLIT_OF_MARK:
            names = (f"{label}/{name.strip()}",)
            listing.videos.append(Listed(names, path.name, SPLIT_OF_MARK[mark], label))
        elif not name or mark != UNUSED:
            listing.reject(place, "is not a line VIDEO.avi and 0, 1 or 2")
