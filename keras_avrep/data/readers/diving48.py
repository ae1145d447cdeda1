"""Diving-48: 48 dives that differ in motion only, annotated twice."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.manifest import Manifest
from keras_avrep.data.readers.files import folder_of, json_of
from keras_avrep.data.readers.listing import Listed, Listing, build_manifest

STEM_OF_VERSION = {1: "Diving48", 2: "Diving48_V2"}
NUM_CLASSES = 48
VOCABULARY = "Diving48_vocab.json"


def read_diving48(
    videos: str | os.PathLike,
    annotations: str | os.PathLike,
    version: int = 2,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Read Diving-48 with its first or its corrected second annotation.

    The label `class` is the dive in words, such as `"Back 15som 05Twis FREE"`,
    where `Diving48_vocab.json` is there, and its two-digit number otherwise.
    Videos that the annotation does not name are ignored, and so are
    `start_frame` and `end_frame`: the published videos are cut already.

    Args:
        videos: folder with the videos, in a sub-folder `rgb` or directly.
        annotations: folder with `Diving48_V2_train.json` and
            `Diving48_V2_test.json`, without `_V2` for version 1.
        version: int. 1 or 2. Defaults to 2.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            versions may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest` with the splits `"train"` and `"test"`. Missing and unreadable
        videos are in `rejects` with the reason.

    Raises:
        ValueError: if `version` is unknown, a folder or annotation is missing,
            or an annotation is empty or no JSON list.

    Example:
    ```python
    manifest = keras_avrep.data.read_diving48("diving48", "diving48/annotations")
    ```
    """
    if version not in STEM_OF_VERSION:
        raise ValueError(f"`version` is {version!r}; give 1 or 2.")
    root = folder_of("videos", videos)
    folder = folder_of("annotations", annotations)
    words = _vocabulary(folder / VOCABULARY)
    listing = Listing()
    for split in ("train", "test"):
        path = folder / f"{STEM_OF_VERSION[version]}_{split}.json"
        _read_annotation(path, split, words, listing)
    return build_manifest(
        root, listing, cache=cache, workers=workers, progress=progress
    )


def _vocabulary(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    return [e if isinstance(e, str) else " ".join(e) for e in json_of(path, list)]


def _read_annotation(
    path: Path, split: str, words: list[str] | None, listing: Listing
) -> None:
    for position, entry in enumerate(json_of(path, list)):
        place = f"{path.name}[{position}]"
        try:
            name, number = str(entry["vid_name"]), int(entry["label"])
        except (KeyError, OverflowError, TypeError, ValueError):
            listing.reject(place, 'is no object with "vid_name" and a number "label"')
            continue
        if not 0 <= number < (NUM_CLASSES if words is None else len(words)):
            listing.reject(place, f"its label {number} is not the number of a class")
            continue
        label = f"{number:02d}" if words is None else words[number]
        names = (f"rgb/{name}.mp4", f"{name}.mp4")
        listing.videos.append(Listed(names, path.name, split, label))
