"""OTB: 100 sequences of images to track one target in."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from keras_avrep.data.readers.files import folder_of
from keras_avrep.data.readers.tracking_sequences import (
    TrackingSequences,
    UnusableSequence,
    boxes_of,
    images_of,
    sequence_of,
)

# First and last image that is annotated, where more are in the folder.
ANNOTATED = {
    "David": (300, 770),
    "Diving": (1, 215),
    "Football1": (1, 74),
    "Freeman3": (1, 460),
    "Freeman4": (1, 283),
}
ANNOTATION = re.compile(r"groundtruth_rect\.?(\d*)\.txt")


def read_otb(
    folder: str | os.PathLike,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> TrackingSequences:
    """Read OTB-50 or OTB-2015.

    Every sequence is a folder with `img/0001.jpg`, … and
    `groundtruth_rect.txt`, its numbers apart by commas, tabs or spaces, also
    mixed. A folder with `groundtruth_rect.1.txt` and `.2.txt` is a sequence for
    each, named like `Jogging.1`. Of the five that have more images than boxes
    the annotated part is taken.

    Args:
        folder: folder with the sequences' folders.
        progress: called with (folders done, folders in all). Defaults to `None`.

    Returns:
        `TrackingSequences`, ordered by name. Lines that are no box are in
        `rejects` and NaN in the sequence; sequences without images, without a
        first box, or with more or fewer images than boxes are left out.

    Raises:
        ValueError: if `folder` is no folder or has no sequences.

    Example:
    ```python
    truth = keras_avrep.data.read_otb("OTB100").boxes()
    keras_avrep.evaluation.one_pass_evaluation(predicted, truth)
    ```
    """
    root = folder_of("folder", folder)
    result = TrackingSequences(str(root), [])
    folders = [f for f in sorted(root.iterdir()) if f.is_dir() and _looks_like_one(f)]
    if not folders:
        raise ValueError(
            f"`folder` {root} has no folder with `img` or `groundtruth_rect.txt`; give "
            "the folder that holds the sequences."
        )
    for done, sequence in enumerate(folders, 1):
        _read_folder(sequence, result)
        if progress is not None:
            progress(done, len(folders))
    return result


def _looks_like_one(folder: Path) -> bool:
    return (folder / "img").is_dir() or bool(_annotation_files(folder))


def _annotation_files(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.iterdir()) if ANNOTATION.fullmatch(f.name)]


def _read_folder(folder: Path, result: TrackingSequences) -> None:
    files = _annotation_files(folder)
    if not files:
        reason = "has no groundtruth_rect.txt"
        result.rejects.append({"path": folder.name, "reason": reason})
    for path in files:
        number = ANNOTATION.fullmatch(path.name)[1]
        name = f"{folder.name}.{number}" if number else folder.name
        place = f"{folder.name}/{path.name}"
        try:
            boxes = boxes_of(path, place, result.rejects)
            frames = images_of(folder / "img")
            if len(frames) != len(boxes) and folder.name in ANNOTATED:
                first, last = ANNOTATED[folder.name]
                frames = frames[first - 1 : last]
            result.sequences.append(sequence_of(name, frames, boxes))
        except UnusableSequence as error:
            result.rejects.append({"path": name, "reason": str(error)})
