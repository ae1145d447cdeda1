"""What maps that look at nothing score, to read localisation results against."""

import numpy as np

from keras_avrep.evaluation.localization import (
    GRID,
    THRESHOLD,
    box_mask,
    class_aware_scores,
    localization_scores,
)

SIDES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def localization_floors(boxes, prior_boxes=None, grid=GRID):
    """`localization_scores` of three predictors that know no picture.

    Args:
        boxes: for each frame, an array `(M, 4)` of relative `y1, x1, y2, x2`.
        prior_boxes: the same of other frames, of which the average mask is made.
            Defaults to `None`, `boxes` themselves: an oracle.
        grid: int. Defaults to 224.

    Returns:
        Dict of scores, as of `localization_scores`: `whole_image`;
        `centred_square`, the best of several, with its `side` relative to the
        picture; `average_mask`, positive above the best of several shares of its
        maximum, with that `cut`. Best is the highest `iou_at_50`, then `auc`.

    Example:
    ```python
    floors = localization_floors(boxes)
    floors["average_mask"]["iou_at_50"]
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 6.
    """

    def score(one, threshold=THRESHOLD):
        maps = np.broadcast_to(one, (len(boxes), *one.shape))
        return localization_scores(maps, boxes, threshold, grid)

    prior = boxes if prior_boxes is None else prior_boxes
    return _floors(score, prior, grid, "iou_at_50")


def class_aware_floors(boxes, class_ids, num_classes, prior_boxes=None, grid=GRID):
    """`class_aware_scores` of three predictors that know neither picture nor sound.

    All classes have the same map, divided by their number as a softmax that
    cannot tell them apart would give. So the NSA is 1 from 5 classes on.

    Args:
        boxes: for each frame, an array `(M, 4)` of relative `y1, x1, y2, x2`.
        class_ids: for each frame, M ints: classes of its boxes.
        num_classes: int.
        prior_boxes: as of `localization_floors`. Defaults to `None`.
        grid: int. Defaults to 224.

    Returns:
        Dict as of `localization_floors`, of scores as of `class_aware_scores`.
        Best is the highest `ciou_at_30`, then `auc`.

    Example:
    ```python
    class_aware_floors(boxes, class_ids, 11)["whole_image"]["nsa"]  # 1.0
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 6.
    """

    def score(one, threshold=THRESHOLD):
        shape = len(boxes), *one.shape, num_classes
        maps = np.broadcast_to(one[..., None] / num_classes, shape)
        return class_aware_scores(maps, boxes, class_ids, threshold, grid=grid)

    prior = boxes if prior_boxes is None else prior_boxes
    return _floors(score, prior, grid, "ciou_at_30")


def centred_square(side, grid=GRID):
    """A map that is 1 in a square in the middle.

    Args:
        side: float. Relative to the picture.
        grid: int. Defaults to 224.

    Returns:
        float64 array `(grid, grid)`.
    """
    first, last = (1 - side) / 2, (1 + side) / 2
    return box_mask([[first, first, last, last]], grid).astype(np.float64)


def average_mask(boxes, grid=GRID):
    """How often each place is within a box.

    Args:
        boxes: for each frame, an array `(M, 4)`; frames without one are passed
            over.
        grid: int. Defaults to 224.

    Returns:
        float64 array `(grid, grid)` in [0, 1].

    Raises:
        ValueError: if no frame has a box.
    """
    masks = [box_mask(placed, grid) for placed in boxes if len(placed)]
    if not masks:
        raise ValueError("`boxes` holds no box; there is nothing to average.")
    return np.mean(masks, axis=0)


def _floors(score, prior_boxes, grid, measure):
    def rank(scores):
        return scores[measure], scores["auc"]

    squares = [{"side": s, **score(centred_square(s, grid))} for s in SIDES]
    average = average_mask(prior_boxes, grid)
    cuts = [{"cut": c, **score(average, c)} for c in CUTS]
    return {
        "whole_image": score(np.ones((grid, grid))),
        "centred_square": max(squares, key=rank),
        "average_mask": max(cuts, key=rank),
    }
