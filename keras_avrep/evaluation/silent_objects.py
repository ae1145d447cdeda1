"""Whether what sounds is told from what is silent in the same picture."""

import numpy as np

from keras_avrep.evaluation.map_entropy import places_in_boxes


def sounding_over_silent(maps, boxes, silent_boxes, class_ids=None, silent_ids=None):
    """How often a sounding object scores higher than a silent one beside it.

    Class-aware overlaps and the NSA hardly tell whether silent objects are left alone:
    a class that is seen and silent has no box, and little of its map exceeds an
    absolute threshold. So all pairs of a sounding and a silent object of one picture
    are compared here by the largest value of a map in their boxes; equal ones count
    half. 0.5 is what maps score that do not listen.

    Args:
        maps: array `(N, h, w)`, one map for all, or `(N, h, w, K)`, one for each class.
        boxes: for each picture, an array `(M, 4)` of relative `y1, x1, y2, x2` of what
            sounds.
        silent_boxes: the same of what is seen and silent.
        class_ids: for each picture, M ints: classes of its boxes, for maps of classes.
            Defaults to `None`.
        silent_ids: the same of `silent_boxes`. Defaults to `None`.

    Returns:
        Float in [0, 1], NaN if no picture has both. A box in which no place of a map
        has its middle is passed over.

    Raises:
        ValueError: if the numbers of maps and boxes differ, or classes are missing.

    Example:
    ```python
    maps = np.zeros((1, 4, 4))
    maps[0, :2] = 1.0
    sounding_over_silent(maps, [[[0, 0, 0.5, 1]]], [[[0.5, 0, 1, 1]]])  # 1.0
    ```
    """
    maps = np.asarray(maps)
    if not len(maps) == len(boxes) == len(silent_boxes):
        raise ValueError(
            f"There are {len(maps)} maps, {len(boxes)} pictures with boxes and "
            f"{len(silent_boxes)} with silent ones; give as many of each."
        )
    if maps.ndim == 4 and (class_ids is None or silent_ids is None):
        raise ValueError("Maps of classes need `class_ids` and `silent_ids`.")
    wins = []
    for n, one in enumerate(maps):
        sounding, silent = (
            _peaks(one, placed[n], None if ids is None else ids[n])
            for placed, ids in ((boxes, class_ids), (silent_boxes, silent_ids))
        )
        higher = sounding[:, None] > silent
        wins.append((higher + 0.5 * (sounding[:, None] == silent)).ravel())
    wins = np.concatenate(wins) if wins else np.zeros(0)
    return float(wins.mean()) if len(wins) else float("nan")


def _peaks(one, boxes, ids):
    """The largest value in each box, of the map of its class."""
    peaks = []
    for m, box in enumerate(np.asarray(boxes, np.float64).reshape(-1, 4)):
        inside = places_in_boxes([box], one.shape[:2])
        if inside.any():
            values = one if one.ndim == 2 else one[..., ids[m]]
            peaks.append(values[inside].max())
    return np.array(peaks)
