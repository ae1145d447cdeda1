"""Charades: indoor videos with several actions each, timed."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.readers.annotated import (
    AnnotatedManifest,
    build_annotated_manifest,
    segment_of,
)
from keras_avrep.data.readers.files import csv_rows, folder_of, lines_of
from keras_avrep.data.readers.listing import Listed, Listing

NUM_CLASSES = 157
FOLDERS = ("", "Charades_v1_480/", "Charades_v1/")


def read_charades(
    videos: str | os.PathLike,
    annotations: str | os.PathLike,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedManifest:
    """Read Charades with its official split.

    The annotation of a video is a list of dicts with `label`, such as `"c092"`,
    and `segment` (start and end, in seconds), empty for videos without an
    action; the same action may be there several times. `multi_hot` makes rows
    for `multi_label_average_precision` of them.

    Args:
        videos: folder with the videos `ID.mp4`, directly or in
            `Charades_v1_480` or `Charades_v1`.
        annotations: folder with `Charades_v1_train.csv`, `Charades_v1_test.csv`
            and, where it is there, `Charades_v1_classes.txt`.
        cache: JSON file that keeps what the videos are, as of `scan_folder`.
            Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `AnnotatedManifest` with the splits `"train"` and `"test"`, its
        annotations by ID and its `class_names` from `"c000"` on, with words
        where the list is there. Missing and unreadable videos, rows without an ID
        and actions that are none are in `rejects`.

    Raises:
        ValueError: if a folder or CSV file is missing, or lacks a column.

    Example:
    ```python
    manifest = keras_avrep.data.read_charades("Charades_v1_480", "Charades")
    test = manifest.split("test")
    labels = keras_avrep.evaluation.multi_hot(
        [[a["label"] for a in manifest.annotation(r)] for r in test],
        list(manifest.class_names),
    )
    ```
    """
    root = folder_of("videos", videos)
    folder = folder_of("annotations", annotations)
    listing, actions = Listing(), {}
    class_names = _class_names(folder / "Charades_v1_classes.txt", listing)
    for split in ("train", "test"):
        path = folder / f"Charades_v1_{split}.csv"
        for place, row in csv_rows(path, ("id", "actions")):
            key = (row["id"] or "").strip()
            if not key or key in actions:
                reason = f"its ID {key} is there already" if key else "has no ID"
                listing.reject(place, reason)
                continue
            actions[key] = _actions(row["actions"], place, class_names, listing)
            names = tuple(f"{folder}{key}.mp4" for folder in FOLDERS)
            listing.videos.append(Listed(names, path.name, split, key=key))
    return build_annotated_manifest(
        root,
        listing,
        actions,
        class_names,
        cache=cache,
        workers=workers,
        progress=progress,
    )


def _class_names(path: Path, listing: Listing) -> dict[str, str]:
    if not path.is_file():
        return {f"c{n:03d}": f"c{n:03d}" for n in range(NUM_CLASSES)}
    names = {}
    for place, line in lines_of(path):
        label, _, words = line.partition(" ")
        if re.fullmatch(r"c\d{3}", label) and words:
            names[label] = words.strip()
        else:
            listing.reject(place, "is not a line c000 and words")
    return names


def _actions(
    cell: str | None, place: str, class_names: dict[str, str], listing: Listing
) -> list[dict]:
    actions = []
    for text in filter(None, (part.strip() for part in (cell or "").split(";"))):
        try:
            label, start, end = text.split()
            segment = segment_of(start, end)
        except ValueError:
            listing.reject(place, f"its action {text!r} is not a class, start and end")
            continue
        if label in class_names:
            actions.append({"label": label, "segment": segment})
        else:
            listing.reject(place, f"its action {text!r} is of no known class")
    return actions
