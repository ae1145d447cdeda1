"""What the readers of tracking sets share: image folders with a box a frame."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from keras_avrep.data.readers.files import lines_of

IMAGE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png"}


@dataclass(frozen=True)
class TrackingSequence:
    """Images of one target, in order.

    Args:
        name: what the dataset calls it.
        frames: T absolute paths of images.
        boxes: float64 array `(T, 4)` of `left, top, width, height` in pixels; NaN
            where the annotation has no box.
        absent: bool array `(T,)`: whether the target is marked as out of view.
        width: pixels.
        height: pixels.
        split: `"train"`, `"val"`, `"test"` or `None`.
    """

    name: str
    frames: list[str]
    boxes: np.ndarray
    absent: np.ndarray
    width: int
    height: int
    split: str | None = None


@dataclass
class TrackingSequences:
    """The sequences of a dataset, and what had to be left out.

    Args:
        root: the dataset's folder.
        sequences: list of `TrackingSequence`.
        rejects: dicts `{"path", "reason"}`.
    """

    root: str
    sequences: list[TrackingSequence]
    rejects: list[dict[str, str]] = field(default_factory=list)

    def boxes(self) -> dict[str, np.ndarray]:
        """The true boxes by name, for `one_pass_evaluation`."""
        return {sequence.name: sequence.boxes for sequence in self.sequences}


class UnusableSequence(ValueError):
    """A sequence that cannot be used, with the reason."""


def images_of(folder: Path) -> list[Path]:
    """The images of a folder, sorted by name; empty if there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def boxes_of(path: Path, place: str, rejects: list[dict[str, str]]) -> np.ndarray:
    """The boxes of an annotation file, numbers apart by commas, tabs or spaces.

    Args:
        path: the file.
        place: its name in messages.
        rejects: list that gets the lines that are no box.

    Returns:
        float64 array `(T, 4)`, NaN for such lines.

    Raises:
        UnusableSequence: if the file is missing or empty, or the first line is no
            box: trackers start with it.
    """
    try:
        lines = list(lines_of(path))
    except ValueError:
        raise UnusableSequence(f"{path.name} is missing or empty") from None
    boxes = np.full((len(lines), 4), np.nan)
    for position, (line_place, line) in enumerate(lines):
        try:
            numbers = [float(n) for n in re.split(r"[\s,]+", line.strip(" ,\t"))]
        except ValueError:
            numbers = []
        if len(numbers) == 4 and np.isfinite(numbers).all():
            boxes[position] = numbers
        else:
            number = line_place.rpartition(":")[2]
            reason = "is not a line of left, top, width and height"
            rejects.append({"path": f"{place}:{number}", "reason": reason})
    if np.isnan(boxes[0]).any():
        raise UnusableSequence(f"the first line of {path.name} is no box")
    return boxes


def sequence_of(
    name: str,
    frames: list[Path],
    boxes: np.ndarray,
    split: str | None = None,
    absent: np.ndarray | None = None,
) -> TrackingSequence:
    """A sequence, after a look at its images.

    Raises:
        UnusableSequence: if there are more or fewer images than boxes, or one is
            empty, or the first cannot be opened.
    """
    if len(frames) != len(boxes):
        raise UnusableSequence(f"has {len(frames)} images but {len(boxes)} boxes")
    empty = next((f for f in frames if f.stat().st_size == 0), None)
    if empty is not None:
        raise UnusableSequence(f"its image {empty.name} is empty")
    try:
        with Image.open(frames[0]) as image:
            image.load()
            width, height = image.size
    except Exception as error:  # PIL raises many kinds for a broken image
        reason = f"its image {frames[0].name} cannot be opened ({error})"
        raise UnusableSequence(reason) from None
    if absent is None:
        absent = np.zeros(len(frames), bool)
    paths = [str(frame) for frame in frames]
    return TrackingSequence(name, paths, boxes, absent, width, height, split)
