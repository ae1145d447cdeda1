"""Kinetics-400, -600 and -700: cut YouTube clips, some always missing."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.manifest import Manifest
from keras_avrep.data.readers.files import csv_rows, folder_of
from keras_avrep.data.readers.listing import Listed, Listing, build_manifest

# What the editions of the dataset call the splits.
SPELLINGS = {
    "train": ("train",),
    "val": ("val", "validate", "validation"),
    "test": ("test",),
}
COLUMNS = ("youtube_id", "time_start", "time_end")


def read_kinetics(
    videos: str | os.PathLike,
    csv: str | os.PathLike,
    split: str,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Read one split of a Kinetics dataset, as far as its clips could be had.

    A clip is looked for as `LABEL/ID_000010_000020.mp4` (start and end in
    seconds; the label also with `_` for spaces), the same below a folder named
    like the split, without the label's folder, and as plain `ID.mp4`. Clips
    that are not there are listed in `rejects`; `missing_videos` lists and so
    counts them. Clips that the annotation does not name are ignored.

    Args:
        videos: folder with the clips.
        csv: annotation with the columns `youtube_id`, `time_start`, `time_end`,
            and where it has them `label` and `split`.
        split: string. `"train"`, `"val"` or `"test"`; `"validate"` and
            `"validation"` mean `"val"`. Rows of other splits are passed over.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            splits may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest` with one split. Records have the label `class` where the
        annotation has one, which the challenge's test splits do not.

    Raises:
        ValueError: if `split` is unknown, the folder or annotation is missing,
            or the annotation lacks a column or has no row of the split.

    Example:
    ```python
    manifest = keras_avrep.data.read_kinetics("k400", "k400/train.csv", "train")
    ```
    """
    name = next((n for n, known in SPELLINGS.items() if split in known), None)
    if name is None:
        raise ValueError(f'`split` is {split!r}; give "train", "val" or "test".')
    root = folder_of("videos", videos)
    listing = Listing()
    for place, row in _rows(Path(csv).expanduser(), SPELLINGS[name]):
        label = (row.get("label") or "").strip() or None
        try:
            names = _places(row, label, SPELLINGS[name])
        except (OverflowError, TypeError, ValueError):
            listing.reject(place, "has no youtube_id or no times in seconds")
            continue
        listing.videos.append(Listed(names, Path(csv).name, name, label))
    return build_manifest(
        root, listing, cache=cache, workers=workers, progress=progress
    )


def _rows(path: Path, spellings: tuple[str, ...]) -> list[tuple[str, dict]]:
    rows = [
        (place, row)
        for place, row in csv_rows(path, COLUMNS)
        if (row.get("split") or spellings[0]).strip() in spellings
    ]
    if not rows:
        raise ValueError(
            f'The annotation file {path} has no row of the split "{spellings[0]}"; '
            "give the file of that split."
        )
    return rows


def _places(
    row: dict, label: str | None, spellings: tuple[str, ...]
) -> tuple[str, ...]:
    """Where the clip of a row may lie, the official place first."""
    clip = (row["youtube_id"] or "").strip()
    if not clip:
        raise ValueError
    start, end = (round(float(row[c])) for c in ("time_start", "time_end"))
    folders = []
    for split_folder in ("", *(f"{s}/" for s in spellings)):
        if label is not None:
            folders += [f"{split_folder}{label}/"]
            folders += [f"{split_folder}{label.replace(' ', '_')}/"]
        folders.append(split_folder)
    # All full names first: an ID alone does not tell which part of it is meant.
    full = [f"{folder}{clip}_{start:06d}_{end:06d}.mp4" for folder in folders]
    return (*full, *(f"{folder}{clip}.mp4" for folder in folders))
