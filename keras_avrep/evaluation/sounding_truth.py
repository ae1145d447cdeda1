"""What is true of moments, as arrays: what sounds, what is silent, how loudly."""

from dataclasses import dataclass

import numpy as np


@dataclass
class SoundingTruth:
    """The truth of N moments, with C classes.

    Args:
        classes: list of C names.
        boxes: for each moment, float64 array `(M, 4)` of relative `y1, x1, y2, x2` of
            what sounds.
        class_ids: for each moment, M ints.
        silent_ids: for each moment, the classes that are seen and do not sound.
        silent_boxes: for each moment, float64 array `(S, 4)`.
        silent_box_ids: for each moment, S ints, the classes of its silent boxes.
        visible: bool array `(N, C)`.
        levels_db: float64 array `(N, C)`. How loud each source is; NaN for classes
            that are not heard.
        levels_known: bool array `(N,)`. Whether `levels_db` is known of a moment.
    """

    classes: list[str]
    boxes: list[np.ndarray]
    class_ids: list[np.ndarray]
    silent_ids: list[np.ndarray]
    silent_boxes: list[np.ndarray]
    silent_box_ids: list[np.ndarray]
    visible: np.ndarray
    levels_db: np.ndarray
    levels_known: np.ndarray

    @property
    def solo(self) -> np.ndarray:
        """Which moments have one object, one sound, and both are the same: `(N,)`."""
        seen = np.array([len(b) + len(s) for b, s in self._pairs()])
        sounding = np.array([len(b) for b in self.boxes])
        heard = (~np.isnan(self.levels_db)).sum(axis=1)
        return (seen == 1) & (sounding == 1) & (heard <= 1)

    @property
    def all_sound(self) -> bool:
        """Whether nothing that is seen is silent."""
        return not any(len(silent) for silent in self.silent_ids)

    def take(self, rows) -> "SoundingTruth":
        """The truth of some of the moments."""
        return SoundingTruth(
            self.classes,
            [self.boxes[row] for row in rows],
            [self.class_ids[row] for row in rows],
            [self.silent_ids[row] for row in rows],
            [self.silent_boxes[row] for row in rows],
            [self.silent_box_ids[row] for row in rows],
            self.visible[rows],
            self.levels_db[rows],
            self.levels_known[rows],
        )

    def _pairs(self):
        return zip(self.boxes, self.silent_ids, strict=True)


def sounding_truth(records, classes: list[str] | None = None) -> SoundingTruth:
    """The truth of moments that have boxes.

    Args:
        records: list of `keras_avrep.data.MomentRecord`, as of `read_orchestra` or
            `read_synthetic_mixtures`.
        classes: names in order, with those of the records among them. Defaults to
            `None`, those of the records, sorted.

    Returns:
        `SoundingTruth`.

    Raises:
        ValueError: if a class is not among `classes`.

    Example:
    ```python
    truth = sounding_truth(manifest.split("test"))
    truth.boxes[0], truth.class_ids[0]
    ```
    """
    found = known_classes(records)
    classes = found if classes is None else list(classes)
    if unknown := set(found) - set(classes):
        raise ValueError(f"`classes` lacks {sorted(unknown)}, which the records have.")
    number = {name: position for position, name in enumerate(classes)}
    shape = len(records), len(classes)
    visible, levels = np.zeros(shape, bool), np.full(shape, np.nan)
    boxes, class_ids, silent_ids, silent_boxes, silent_box_ids = ([] for _ in range(5))
    for row, record in enumerate(records):
        ids = np.array([number[name] for name in record.box_labels], int)
        placed = np.array(record.boxes, np.float64).reshape(-1, 4)
        on = np.array(record.box_sounding, bool)
        boxes.append(placed[on])
        class_ids.append(ids[on])
        silent_ids.append(np.setdiff1d(ids[~on], ids[on]))
        silent_boxes.append(placed[~on])
        silent_box_ids.append(ids[~on])
        visible[row, ids] = True
        for name, level in record.levels.items():
            levels[row, number[name]] = level
    known = np.array([bool(record.levels) for record in records])
    return SoundingTruth(
        classes,
        boxes,
        class_ids,
        silent_ids,
        silent_boxes,
        silent_box_ids,
        visible,
        levels,
        known,
    )


def known_classes(records) -> list[str]:
    """Sorted names of all classes that records have boxes or levels of."""
    return sorted({name for r in records for name in (*r.box_labels, *r.levels)})
