"""GOT-10k: ten thousand sequences of images to learn tracking on."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_avrep.data.readers.files import folder_of, lines_of
from keras_avrep.data.readers.listing import NOT_THERE
from keras_avrep.data.readers.tracking_sequences import (
    TrackingSequence,
    TrackingSequences,
    UnusableSequence,
    boxes_of,
    images_of,
    sequence_of,
)

SPLITS = ("train", "val", "test")


def read_got10k(
    folder: str | os.PathLike,
    split: str = "train",
    *,
    progress: Callable[[int, int], None] | None = None,
) -> TrackingSequences:
    """Read one split of GOT-10k.

    `SPLIT/list.txt` names the sequences; each is a folder with `00000001.jpg`, …,
    `groundtruth.txt` and, where it is there, `absence.label`, which marks the
    frames without the target. Test sequences have a first box only; the others
    are NaN.

    Args:
        folder: folder with the folders of the splits.
        split: string. `"train"`, `"val"` or `"test"`. Defaults to `"train"`.
        progress: called with (sequences done, sequences in all). Defaults to
            `None`.

    Returns:
        `TrackingSequences`, in the order of the list. Lines that are no box are
        in `rejects` and NaN in the sequence; sequences that are not there, have
        no first box, or more or fewer images than boxes are left out.

    Raises:
        ValueError: if `split` is unknown, or the folder or its list is missing.

    Example:
    ```python
    sequences = keras_avrep.data.read_got10k("GOT-10k", "val").sequences
    ```
    """
    if split not in SPLITS:
        raise ValueError(f'`split` is {split!r}; give "train", "val" or "test".')
    root = folder_of("folder", folder)
    result = TrackingSequences(str(root), [])
    names = [line for _, line in lines_of(root / split / "list.txt")]
    for done, name in enumerate(names, 1):
        try:
            sequence = _read_sequence(root / split / name, name, split, result.rejects)
            result.sequences.append(sequence)
        except UnusableSequence as error:
            reject = {"path": f"{split}/{name}", "reason": str(error)}
            result.rejects.append(reject)
        if progress is not None:
            progress(done, len(names))
    return result


def _read_sequence(folder: Path, name: str, split: str, rejects) -> TrackingSequence:
    if "/" in name or ".." in name or not folder.is_dir():
        raise UnusableSequence(f"listed in list.txt {NOT_THERE}")
    place = f"{split}/{name}/groundtruth.txt"
    boxes = boxes_of(folder / "groundtruth.txt", place, rejects)
    frames = images_of(folder)
    if split == "test" and len(boxes) == 1 and frames:
        boxes = np.concatenate([boxes, np.full((len(frames) - 1, 4), np.nan)])
    absent = _absent(folder / "absence.label", len(boxes), place, rejects)
    return sequence_of(name, frames, boxes, split, absent)


def _absent(path: Path, count: int, place: str, rejects) -> np.ndarray | None:
    if not path.is_file():
        return None
    marks = path.read_text(errors="replace").split()
    if len(marks) != count or not set(marks) <= {"0", "1"}:
        reason = f"is not {count} lines of 0 or 1; taken as if it were not there"
        where = place.replace("groundtruth.txt", path.name)
        rejects.append({"path": where, "reason": reason})
        return None
    return np.array([mark == "1" for mark in marks])
