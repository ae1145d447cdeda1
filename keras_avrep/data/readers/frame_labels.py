"""Breakfast, 50Salads, GTEA and the like: one label for every frame."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.readers.annotated import (
    AnnotatedManifest,
    build_annotated_manifest,
)
from keras_avrep.data.readers.files import folder_of, lines_of, text_of
from keras_avrep.data.readers.listing import NOT_THERE, Listed, Listing


def read_frame_labels(
    videos: str | os.PathLike,
    annotations: str | os.PathLike,
    split: int = 1,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedManifest:
    """Read a set for action segmentation in the layout that MS-TCN spread.

    `groundTruth/VIDEO.txt` has one label a line for every frame, `mapping.txt`
    numbers the labels, and `splits/train.split1.bundle` and
    `test.split1.bundle` list the files of a split. The annotation of a video is
    the list of its frames' labels, as `segmentation_scores` takes it.

    A video is looked for under the name of its file, and for Breakfast's
    `P03_cam01_P03_cereals` also as `P03/cam01/P03_cereals.avi` and, of the two
    cameras of `stereo01`, as `P03/stereo/P03_cereals_ch0.avi`.

    Args:
        videos: folder with the videos.
        annotations: folder with `groundTruth`, `mapping.txt` and `splits`.
        split: int. Number of the split. Defaults to 1.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            splits may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `AnnotatedManifest` with the splits `"train"` and `"test"`, its
        annotations by name without suffix and its `class_names` by number.
        Missing and unreadable videos are in `rejects`, and so are videos whose
        labels are missing or not all in `mapping.txt`: they are left out, since
        frames would be shifted or unknown.

    Raises:
        ValueError: if a folder, the mapping or a bundle is missing or empty.

    Example:
    ```python
    manifest = keras_avrep.data.read_frame_labels("BreakfastII", "data/breakfast")
    truth = {name: manifest.annotations[name] for name in manifest.names.values()}
    ```
    """
    root = folder_of("videos", videos)
    folder = folder_of("annotations", annotations)
    listing, labels = Listing(), {}
    class_names = _class_names(folder / "mapping.txt", listing)
    for part in ("train", "test"):
        path = folder / "splits" / f"{part}.split{split}.bundle"
        for place, line in lines_of(path):
            key = Path(line).name.removesuffix(".txt")
            if key in labels:
                listing.reject(place, f"{key} is listed already")
                continue
            own = _labels(folder, key, path.name, set(class_names.values()), listing)
            if own is not None:
                labels[key] = own
                listing.videos.append(Listed(_places(key), path.name, part, key=key))
    return build_annotated_manifest(
        root,
        listing,
        labels,
        class_names,
        cache=cache,
        workers=workers,
        progress=progress,
    )


def _class_names(path: Path, listing: Listing) -> dict[int, str]:
    names = {}
    for place, line in lines_of(path):
        number, _, label = line.partition(" ")
        if number.isdecimal() and label:
            names[int(number)] = label.strip()
        else:
            listing.reject(place, "is not a line NUMBER LABEL")
    return names


def _labels(
    folder: Path, key: str, source: str, known: set[str], listing: Listing
) -> list[str] | None:
    name = f"groundTruth/{key}.txt"
    if not (folder / name).is_file():
        listing.reject(name, f"listed in {source} {NOT_THERE}")
        return None
    try:
        text = text_of(folder / name)
    except ValueError:
        listing.reject(name, "has no labels")
        return None
    labels = [line.strip() for line in text.rstrip().splitlines()]
    for number, label in enumerate(labels, 1):
        if label not in known:
            reason = f"its label {label!r} is not in mapping.txt"
            listing.reject(f"{name}:{number}", reason)
            return None
    return labels


def _places(key: str) -> tuple[str, ...]:
    places = [f"{key}.avi"]
    person, _, rest = key.partition("_")
    camera, _, title = rest.partition("_")
    if title:
        places.append(f"{person}/{camera}/{title}.avi")
        if camera.startswith("stereo"):
            places.append(f"{person}/stereo/{title}_ch0.avi")
    return tuple(places)
