"""Boxes of every frame from a folder's `annotations.jsonl`."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_avrep.data.annotations import annotation_lines
from keras_avrep.data.manifest import Manifest
from keras_avrep.data.video_files import ANNOTATIONS


@dataclass
class BoxTracks:
    """Where things are in the frames of videos, and what could not be used.

    Args:
        tracks: dict from `video_id` to a dict of `seconds` float64 `(K,)`, the middle
            of each frame, and `boxes` float64 `(K, N, 4)`, relative
            `y1, x1, y2, x2`, NaN where a thing is not seen.
        rejects: list of `{"path", "reason"}`.
    """

    tracks: dict[str, dict[str, np.ndarray]]
    rejects: list[dict[str, str]] = field(default_factory=list)


def read_box_tracks(manifest: Manifest) -> BoxTracks:
    """Read boxes that lie beside labels in `annotations.jsonl`, as worlds write them.

    A line is `{"video": path, "boxes": [[[y1, x1, y2, x2], …], …]}`: for each thing
    one box a frame, relative to the frame, `null` where it is not seen.

    Args:
        manifest: of `scan_folder`. Videos without boxes are left out.

    Returns:
        `BoxTracks`; lines that make no sense are in `rejects` with the reason.

    Raises:
        ValueError: if the folder has no `annotations.jsonl`, or no line has boxes.

    Example:
    ```python
    manifest = keras_avrep.data.scan_folder("two_sprites")
    read = keras_avrep.data.read_box_tracks(manifest)
    read.tracks["train/00000.mp4"]["boxes"].shape  # (48, 2, 4)
    ```
    """
    path = Path(manifest.root) / ANNOTATIONS
    if not path.is_file():
        raise ValueError(
            f"There is no {path}, which must say where things are, a line a video: "
            '{"video": path, "boxes": [[[y1, x1, y2, x2], …], …]}.'
        )
    found = find_box_tracks(manifest)
    if not found.tracks:
        raise ValueError(f"{path} has no `boxes` for any of the videos.")
    return found


def find_box_tracks(manifest: Manifest) -> BoxTracks:
    """Like `read_box_tracks`, for folders that need not say where anything is."""
    path = Path(manifest.root) / ANNOTATIONS
    records = {r.video_id: r for r in manifest.records}
    found = BoxTracks({})
    lines = annotation_lines(path) if path.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line) if line.strip() else {}
            record, boxes = records.get(entry.get("video")), entry.get("boxes")
            if record is not None and boxes is not None:
                found.tracks[record.video_id] = _track(boxes, record.fps)
        except (ValueError, TypeError, AttributeError) as error:
            reason = f"boxes cannot be read ({error})"
            found.rejects.append({"path": f"{path.name}:{number}", "reason": reason})
    return found


def boxes_to_json(boxes) -> list:
    """What `read_box_tracks` reads `boxes` `(K, N, 4)` from; `None` for NaN.

    Example:
    ```python
    boxes_to_json(np.full((48, 2, 4), 0.5))  # two things, 48 boxes of each
    ```
    """
    return [
        [None if np.isnan(box).any() else box.tolist() for box in track]
        for track in np.asarray(boxes, "float64").transpose(1, 0, 2)
    ]


def _track(boxes, fps):
    """Things by frames of a file as frames by things, with their times."""
    absent = [np.nan] * 4
    filled = [[absent if box is None else box for box in track] for track in boxes]
    things = np.array(filled, "float64")
    if things.ndim != 3 or things.shape[-1] != 4:
        raise ValueError("not a box of four numbers for each thing and frame")
    if np.any((things < 0) | (things > 1)):
        raise ValueError("a box is not between 0 and 1")
    seconds = (np.arange(things.shape[1]) + 0.5) / fps
    return {"seconds": seconds, "boxes": things.transpose(1, 0, 2)}
