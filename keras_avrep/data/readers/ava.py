"""AVA and AVA-Kinetics: who does what where, in key frames of videos."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.manifest import VideoRecord
from keras_avrep.data.media import VIDEO_SUFFIXES
from keras_avrep.data.readers.annotated import (
    AnnotatedManifest,
    build_annotated_manifest,
)
from keras_avrep.data.readers.ava_boxes import (
    VALID_SECONDS,
    read_ava_actions,
    read_ava_boxes,
)
from keras_avrep.data.readers.files import folder_of
from keras_avrep.data.readers.listing import Listed, Listing

CUT = re.compile(r"(?P<key>.+)_(?P<start>\d{6})_(?P<end>\d{6})")


def read_ava(
    videos: str | os.PathLike,
    csv: str | os.PathLike,
    split: str,
    *,
    actions: str | os.PathLike | None = None,
    excluded: str | os.PathLike | None = None,
    valid_seconds: tuple[float, float] | None = VALID_SECONDS,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> AnnotatedManifest:
    """Read one split of AVA, or of the Kinetics part of AVA-Kinetics.

    The annotation of a video is a dict from second to its key frame, a dict of
    `boxes` `(N, 4)` as relative `y1, x1, y2, x2`, `labels` `(N,)` and `people`
    `(N,)`. A video is looked for as `ID.mp4`, with any suffix, directly or below
    `trainval`, `test` or a folder named like the split; and a clip of Kinetics
    anywhere as `ID_000010_000020.mp4`, if a key frame lies in that time.
    Seconds always count from the start of the whole video: see `clip_start`.

    Args:
        videos: folder with the videos.
        csv: file such as `ava_train_v2.2.csv` or `kinetics_train_v1.0.csv`.
        split: string, of the records, such as `"train"`.
        actions: `.pbtxt` list of actions. Boxes of other actions are left out.
            Defaults to `None`, all.
        excluded: as of `read_ava_boxes`. Defaults to `None`.
        valid_seconds: as of `read_ava_boxes`. Defaults to (902, 1798); give
            `None` for AVA-Kinetics.
        cache: JSON file that keeps what the videos are, as of `scan_folder`.
            Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `AnnotatedManifest` with one split, its annotations by ID and, with
        `actions`, its `class_names` by number. Lines that make no sense, missing
        and unreadable videos are in `rejects`.

    Raises:
        ValueError: if the folder or a file is missing or empty.

    Example:
    ```python
    manifest = keras_avrep.data.read_ava("trainval", "ava_val_v2.2.csv", "val")
    frame = manifest.annotation(manifest.records[0])[902]
    ```
    """
    root, path = folder_of("videos", videos), Path(csv).expanduser()
    class_names = {} if actions is None else read_ava_actions(actions)
    read = read_ava_boxes(path, excluded=excluded, valid_seconds=valid_seconds)
    annotations = {}
    for (key, second), frame in read.frames.items():
        if class_names:
            known = [label in class_names for label in frame["labels"]]
            frame = {name: values[known] for name, values in frame.items()}
        annotations.setdefault(key, {})[second] = frame
    listing, clips = Listing(rejects=read.rejects), _cut_clips(root)
    for key, frames in annotations.items():
        places = [f"{f}{key}.mp4" for f in ("", f"{split}/", "trainval/", "test/")]
        places += [
            name
            for start, end, name in clips.get(key, [])
            if any(start <= second <= end for second in frames)
        ]
        listing.videos.append(Listed(tuple(places), path.name, split, key=key))
    return build_annotated_manifest(
        root,
        listing,
        annotations,
        class_names,
        cache=cache,
        workers=workers,
        progress=progress,
    )


def clip_start(record: VideoRecord) -> float:
    """The second of the whole video where the file of a record begins.

    Args:
        record: of `read_ava` or `read_kinetics`.

    Returns:
        float. The start in the name `ID_000010_000020.mp4` of a cut clip, else 0.

    Example:
    ```python
    time_in_file = second - keras_avrep.data.clip_start(record)
    ```
    """
    cut = CUT.fullmatch(Path(record.video_id).stem)
    return float(cut["start"]) if cut else 0.0


def _cut_clips(root: Path) -> dict[str, list[tuple[int, int, str]]]:
    """Clips below a folder by the ID of their video: start, end, path."""
    clips = {}
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            cut = CUT.fullmatch(Path(name).stem)
            if cut and Path(name).suffix.lower() in VIDEO_SUFFIXES:
                place = (Path(folder) / name).relative_to(root).as_posix()
                span = (int(cut["start"]), int(cut["end"]), place)
                clips.setdefault(cut["key"], []).append(span)
    return clips
