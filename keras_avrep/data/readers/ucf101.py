"""UCF-101: 101 human actions, three official splits."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.manifest import Manifest
from keras_avrep.data.readers.files import folder_of, lines_of
from keras_avrep.data.readers.listing import Listed, Listing, build_manifest


def read_ucf101(
    videos: str | os.PathLike,
    splits: str | os.PathLike,
    split: int = 1,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Read UCF-101 with one of its official splits.

    The label `class` is the folder in the list, such as `ApplyEyeMakeup`; where
    `classInd.txt` is there, other classes than its own are rejected. Names are
    compared without case, as the lists and the archive disagree on
    `HandStandPushups`; the suffix may differ too. Videos that no list names
    are ignored.

    Args:
        videos: folder with one sub-folder of videos for every class.
        splits: the folder `ucfTrainTestlist`.
        split: int. Number of the official split, 1 to 3. Defaults to 1.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            splits may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest` with the splits `"train"` and `"test"`. Missing and unreadable
        videos are in `rejects` with the reason.

    Raises:
        ValueError: if `split` is unknown, a folder or list is missing, or a list is
            empty.

    Example:
    ```python
    manifest = keras_avrep.data.read_ucf101("UCF-101", "ucfTrainTestlist", split=1)
    ```
    """
    if split not in (1, 2, 3):
        raise ValueError(f"`split` is {split!r}; give 1, 2 or 3.")
    root, lists = folder_of("videos", videos), folder_of("splits", splits)
    classes = _classes(lists / "classInd.txt")
    listing = Listing()
    for name in ("train", "test"):
        _read_list(lists / f"{name}list0{split}.txt", name, classes, listing)
    return build_manifest(
        root,
        listing,
        cache=cache,
        workers=workers,
        progress=progress,
        ignore_case=True,
    )


def _classes(path: Path) -> set[str] | None:
    if not path.is_file():
        return None
    return {line.split()[-1] for _, line in lines_of(path)}


def _read_list(
    path: Path, split: str, classes: set[str] | None, listing: Listing
) -> None:
    for place, line in lines_of(path):
        name = line.split()[0]
        label, _, base = name.partition("/")
        if not base:
            listing.reject(place, "is not a line CLASS/VIDEO.avi")
        elif classes is not None and label not in classes:
            listing.reject(place, f"its class {label} is not in classInd.txt")
        else:
            listing.videos.append(Listed((name,), path.name, split, label))
