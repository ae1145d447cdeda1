"""Boxes of what sounds: solotest.json, duettest.json and audioset_box.json."""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from keras_avrep.data.moments import MomentManifest, MomentRecord
from keras_avrep.data.readers.files import json_of, lines_of
from keras_avrep.data.readers.frame_times import frame_rate, frame_time
from keras_avrep.data.readers.listing import NOT_THERE
from keras_avrep.data.readers.second_folders import youtube_id

# Numbers of the instruments in the boxes of MUSIC; it has no other ones.
MUSIC_CATEGORIES = {
    1: "cello",
    3: "acoustic_guitar",
    8: "saxophone",
    10: "trumpet",
    11: "violin",
    12: "flute",
    13: "accordion",
}
FRAME = re.compile(r"^(?P<video>.+)/frame_(?P<second>\d+)/(?P<number>\d+)\.jpg$")
SECOND = re.compile(r"^(?P<video>[^/]+)/(?P<second>\d+)$")


@dataclass(frozen=True)
class BoxedFrame:
    """The boxes of one frame; all of them sound.

    Args:
        time: seconds into the video.
        boxes: float64 array `(M, 4)` of relative `y1, x1, y2, x2`; M may be 0.
        labels: M class names.
    """

    time: float
    boxes: np.ndarray
    labels: tuple[str, ...]


@dataclass(frozen=True)
class BoxMatch:
    """A picture of a moment with the boxes of the frame nearest to it in time."""

    record: MomentRecord
    picture: int
    frame: BoxedFrame

    @property
    def moment(self) -> MomentRecord:
        """The moment of that picture alone, with the boxes, all of which sound."""
        times = self.record.times
        return replace(
            self.record,
            pictures=(self.record.pictures[self.picture],),
            times=times[self.picture : self.picture + 1],
            boxes=tuple(tuple(box) for box in self.frame.boxes.tolist()),
            box_labels=self.frame.labels,
            box_sounding=(True,) * len(self.frame.labels),
        )


@dataclass
class SoundingBoxes:
    """Boxed frames by video.

    Args:
        source: name of the file they come from.
        videos: dict from video id to its `BoxedFrame`s, in order of time.
        tolerance: seconds by which a picture and a frame may differ.
        rejects: dicts `{"path", "reason"}` of entries that make no sense.

    Example:
    ```python
    boxes = keras_avrep.data.read_csol_boxes("solotest.json")
    boxes.nearest("4Oy5VmaacaI", 13.6).labels  # ("cello",)
    ```
    """

    source: str
    videos: dict[str, list[BoxedFrame]]
    tolerance: float
    rejects: list[dict[str, str]] = field(default_factory=list)

    def nearest(self, video_id: str, time: float) -> BoxedFrame | None:
        """The frame of a video nearest to a time, if it is near enough."""
        frames = self.videos.get(video_id)
        if not frames:
            return None
        frame = min(frames, key=lambda f: abs(f.time - time))
        return frame if abs(frame.time - time) <= self.tolerance else None

    def match(
        self, manifest: MomentManifest
    ) -> tuple[list[BoxMatch], list[dict[str, str]]]:
        """The pictures of a manifest that have boxes.

        Args:
            manifest: from `read_music_solo` or `read_audioset_instruments`.

        Returns:
            List of `BoxMatch`, and rejects: boxed videos that are not in the
            manifest (`missing_videos` lists them), and pictures of boxed videos
            without a frame near enough.
        """
        there = {record.video_id for record in manifest.records}
        rejects = [
            {"path": video, "reason": f"listed in {self.source} {NOT_THERE}"}
            for video in sorted(set(self.videos) - there)
        ]
        matches = []
        for record in manifest.records:
            if record.video_id not in self.videos:
                continue
            for number, time in enumerate(record.times):
                frame = self.nearest(record.video_id, time)
                if frame is None:
                    reason = f"no box in {self.source} within {self.tolerance} s"
                    rejects.append({"path": record.pictures[number], "reason": reason})
                else:
                    matches.append(BoxMatch(record, number, frame))
        return matches, rejects


def read_csol_boxes(
    path: str | os.PathLike,
    classes: dict[int, str] | list[str] | None = None,
    tolerance: float | None = None,
) -> SoundingBoxes:
    """Read boxes of sounding objects, to be matched by time.

    The numbers in the names of frames depend on the frame rate of the copy they
    were made from, so they are turned into seconds.

    Args:
        path: `solotest.json`, `duettest.json` or `audioset_box.json`.
        classes: names by number. Defaults to `None`: those of `classes.txt` beside
            the file if it is there, as `render_seconds` writes it; else the seven of
            MUSIC for the first two, the number in two digits for AudioSet, as
            `read_audioset_instruments` has it.
        tolerance: seconds by which a picture may differ from a boxed frame.
            Defaults to `None`: 0.2, and 0.5 around the middle of the second for
            AudioSet, whose boxes are for whole seconds.

    Returns:
        `SoundingBoxes`. Entries that make no sense are in its `rejects`; frames
        without a box are kept, as empty.

    Raises:
        ValueError: if the file is missing, no JSON or empty.

    Example:
    ```python
    boxes = keras_avrep.data.read_csol_boxes("duettest.json")
    matches, rejects = boxes.match(manifest)
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.2.
    """
    path = Path(path).expanduser()
    content = json_of(path, dict)
    rejects: list[dict[str, str]] = []
    found: dict[str, list[tuple[int, int | None, np.ndarray, tuple]]] = {}
    whole_seconds = all(SECOND.match(key) for key in content)
    default = {} if whole_seconds else MUSIC_CATEGORIES
    names = class_names(path.parent, classes, default)
    for key, entry in content.items():
        place = SECOND.match(key) or FRAME.match(key)
        try:
            boxes, labels = _boxes_of(entry, names, strict=bool(names))
        except (KeyError, TypeError, ValueError) as error:
            reason = f"has a box that makes no sense ({error})"
            rejects.append({"path": key, "reason": reason})
            continue
        if place is None:
            rejects.append({"path": key, "reason": "is no VIDEO/frame_SSS/FFFFF.jpg"})
            continue
        number = place.groupdict().get("number")
        number = None if number is None else int(number)
        video = youtube_id(place["video"]) if number is not None else place["video"]
        found.setdefault(video, []).append(
            (int(place["second"]), number, boxes, labels)
        )
    videos = {video: _in_time(entries) for video, entries in sorted(found.items())}
    if tolerance is None:
        tolerance = 0.5 if whole_seconds else 0.2
    return SoundingBoxes(path.name, videos, tolerance, rejects)


def class_names(
    folder: Path, classes: dict[int, str] | list[str] | None, default: dict[int, str]
) -> dict[int, str]:
    """Names by number: those given, else of `classes.txt`, else the default."""
    if classes is None and (folder / "classes.txt").is_file():
        classes = [line for _, line in lines_of(folder / "classes.txt")]
    if classes is None:
        return default
    return dict(enumerate(classes)) if isinstance(classes, list) else classes


def _in_time(entries) -> list[BoxedFrame]:
    rate = frame_rate((s, n) for s, n, _, _ in entries if n is not None)
    frames = [
        BoxedFrame(s + 0.5 if n is None else frame_time(s, n, rate), boxes, labels)
        for s, n, boxes, labels in entries
    ]
    return sorted(frames, key=lambda frame: frame.time)


def _boxes_of(entry: dict, names: dict[int, str], strict: bool):
    boxes, labels = [], []
    for item in entry["bbox"]:
        x, y, width, height = (float(v) for v in item["normbox"])
        if not (np.isfinite([x, y, width, height]).all() and min(width, height) >= 0):
            raise ValueError("normbox")
        number = int(item["category_id" if "category_id" in item else "category"])
        if strict and number not in names:
            raise ValueError(f"category {number}")
        boxes.append([y, x, y + height, x + width])
        labels.append(names.get(number, f"{number:02d}"))
    return np.clip(np.array(boxes, np.float64).reshape(-1, 4), 0, 1), tuple(labels)
