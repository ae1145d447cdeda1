"""Manifests of datasets that say more of a video than one class."""

import math
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_avrep.data.manifest import Manifest, VideoRecord
from keras_avrep.data.readers.listing import Finder, Listing, locate, open_videos


@dataclass
class AnnotatedManifest(Manifest):
    """A manifest with what the annotation files say of each video.

    `annotations` has every listed video, also those that are not there, by the
    name that the dataset gives it: results are exchanged and scored under those
    names. `save` keeps records and rejects only.

    Args:
        root: as of `Manifest`.
        records: as of `Manifest`.
        rejects: as of `Manifest`.
        annotations: dict from the dataset's name of a video to its annotation.
        names: dict from `video_id` of a record to the dataset's name.
        class_names: dict from the labels in `annotations` to words; empty where
            they are words, or the dataset's list is not there.

    Example:
    ```python
    manifest = keras_avrep.data.read_activitynet("videos", "activity_net.v1-3.json")
    manifest.annotation(manifest.records[0])  # [{"label": …, "segment": [0.0, 9.5]}]
    ```
    """

    annotations: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    class_names: dict[Hashable, str] = field(default_factory=dict)

    def annotation(self, record: VideoRecord) -> Any:
        """What the annotation files say of a record."""
        return self.annotations[self.names[record.video_id]]


def build_annotated_manifest(
    root: Path,
    listing: Listing,
    annotations: dict[str, Any],
    class_names: dict[Hashable, str] | None = None,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedManifest:
    """Look for the listed videos, open them and join their annotations.

    Args:
        root: the videos folder.
        listing: what the annotation files list, each video with its `key`.
        annotations: dict from `key` to annotation.
        class_names: as of `AnnotatedManifest`. Defaults to none.
        cache: as of `scan_folder`. Defaults to `None`.
        workers: as of `scan_folder`. Defaults to 2.
        progress: as of `scan_folder`. Defaults to `None`.

    Returns:
        `AnnotatedManifest`, ordered by path.
    """
    found, rejects = locate(Finder(root), listing)
    manifest = open_videos(root, found, rejects, cache, workers, progress)
    return AnnotatedManifest(
        manifest.root,
        manifest.records,
        manifest.rejects,
        annotations,
        {r.video_id: found[r.video_id].key for r in manifest.records},
        class_names or {},
    )


def segment_of(start: Any, end: Any) -> list[float]:
    """Start and end of an action as numbers.

    Args:
        start: seconds, also as text.
        end: seconds, also as text.

    Returns:
        List of two floats.

    Raises:
        ValueError: if one is no finite number or the end is not after the start.

    Example:
    ```python
    segment_of("0.5", 3)  # [0.5, 3.0]
    ```
    """
    try:
        start, end = float(start), float(end)
    except TypeError:
        raise ValueError("no number") from None
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError(f"{start} to {end} is no stretch of time")
    return [start, end]
