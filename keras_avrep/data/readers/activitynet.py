"""ActivityNet: untrimmed videos with the segments of their activities."""

import os
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.readers.annotated import (
    AnnotatedManifest,
    build_annotated_manifest,
    segment_of,
)
from keras_avrep.data.readers.files import folder_of, json_of
from keras_avrep.data.readers.listing import Listed, Listing

SPLIT_OF_SUBSET = {"training": "train", "validation": "val", "testing": "test"}


def read_activitynet(
    videos: str | os.PathLike,
    annotations: str | os.PathLike,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedManifest:
    """Read ActivityNet, or any set with an annotation in its form.

    A video is looked for as `v_ID.mp4` or `ID.mp4`, directly or below a folder
    named like its split. Its annotation is a list of dicts with `label` and
    `segment` (start and end, in seconds), as `detection_average_precision`
    takes them; test videos have none. Where all segments of a video are of one
    activity, the record has it as the label `class`.

    Args:
        videos: folder with the videos.
        annotations: file such as `activity_net.v1-3.min.json`.
        cache: JSON file that keeps what the videos are, as of `scan_folder`.
            Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `AnnotatedManifest` with the splits `"train"`, `"val"` and `"test"`, its
        annotations by ID. Missing and unreadable videos, videos of an unknown
        subset and segments without a label or a length are in `rejects`.

    Raises:
        ValueError: if the folder or the file is missing, or the file has no
            `database`.

    Example:
    ```python
    manifest = keras_avrep.data.read_activitynet("videos", "activity_net.v1-3.json")
    truth = {
        manifest.names[r.video_id]: manifest.annotation(r)
        for r in manifest.split("val")
    }
    ```
    """
    root, path = folder_of("videos", videos), Path(annotations).expanduser()
    database = json_of(path, dict).get("database")
    if not isinstance(database, dict) or not database:
        raise ValueError(
            f'The annotation file {path} has no "database"; give the dataset\'s '
            "official JSON file."
        )
    listing, segments = Listing(), {}
    for key, entry in database.items():
        place = f"{path.name}[{key}]"
        split = SPLIT_OF_SUBSET.get(
            entry.get("subset") if isinstance(entry, dict) else 0
        )
        if split is None:
            listing.reject(place, 'has no "subset" training, validation or testing')
            continue
        segments[key] = _segments(entry.get("annotations"), place, listing)
        labels = {segment["label"] for segment in segments[key]}
        label = labels.pop() if len(labels) == 1 else None
        stems = (f"v_{key}", f"{split}/v_{key}", key, f"{split}/{key}")
        names = tuple(f"{stem}.mp4" for stem in stems)
        listing.videos.append(Listed(names, path.name, split, label, key))
    return build_annotated_manifest(
        root, listing, segments, cache=cache, workers=workers, progress=progress
    )


def read_activitynet_results(
    path: str | os.PathLike,
) -> tuple[dict[str, list[dict]], list[dict[str, str]]]:
    """Read detections in the form of ActivityNet's challenge.

    Args:
        path: JSON file with `results`, an object from ID to a list of objects
            with `label`, `segment` and `score`.

    Returns:
        Dict from ID to a list of such dicts, for `detection_average_precision`,
        and the rejects.

    Raises:
        ValueError: if the file is missing or has no `results`.

    Example:
    ```python
    predicted, rejects = keras_avrep.data.read_activitynet_results("results.json")
    ```
    """
    path = Path(path).expanduser()
    results = json_of(path, dict).get("results")
    if not isinstance(results, dict):
        raise ValueError(f'The file {path} has no object "results"; add it.')
    listing = Listing()
    return {
        key: _segments(entries, f"{path.name}[{key}]", listing, scored=True)
        for key, entries in results.items()
    }, listing.rejects


def _segments(
    entries, place: str, listing: Listing, scored: bool = False
) -> list[dict]:
    segments = []
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        try:
            start, end = entry["segment"]
            segment = {"label": str(entry["label"]), "segment": segment_of(start, end)}
            if scored:
                segment["score"] = float(entry["score"])
            segments.append(segment)
        except (KeyError, TypeError, ValueError):
            wanted = "label, a start before an end" + (" and a score" if scored else "")
            listing.reject(f"{place}[{position}]", f"has no {wanted}")
    return segments
