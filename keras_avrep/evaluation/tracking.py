"""One-pass evaluation of trackers, as OTB has it."""

import numpy as np

from keras_avrep.evaluation.box_overlap import as_boxes, paired_box_iou

DISTANCES = np.arange(51)
OVERLAPS = np.linspace(0, 1, 21)
PRECISION_AT = 20


def one_pass_evaluation(predicted, truth):
    """Precision and success of a tracker that is started once, OTB's measure.

    The precision curve is the share of frames whose centres are at most 0 to 50
    pixels apart, its score that at 20; the success curve the share of frames
    whose overlap is above 0, 0.05, …, 1, its score the mean of those 21 values.
    No overlap is above 1, so perfect tracking has the success 20/21. Curves are
    made for each sequence and then averaged: short sequences count like long
    ones. Frame 1 counts, with the box that the tracker is given.

    Args:
        predicted: dict from sequence to an array `(T, 4)` of boxes
            `left, top, width, height` in pixels; what is no number is a miss. The
            first box is replaced by the true one.
        truth: dict from sequence to an array `(T, 4)`. Frames whose box is no
            number are left out.

    Returns:
        Dict of the floats `precision` and `success`, in [0, 1], their curves
        `precision_curve` `(51,)` and `success_curve` `(21,)`, and `sequences`,
        a dict from sequence to its `precision` and `success`.

    Raises:
        ValueError: if there is no sequence, one was not tracked, the number of
            frames differs, or no frame has a true box.

    Example:
    ```python
    truth = {"walk": [[10, 10, 20, 40], [12, 10, 20, 40]]}
    one_pass_evaluation(truth, truth)["success"]  # 20 / 21
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 9.
    """
    if not truth:
        raise ValueError("`truth` is empty; give at least one sequence.")
    curves = {}
    for name, boxes in truth.items():
        if name not in predicted:
            raise ValueError(f"`predicted` lacks the sequence {name!r}; track it too.")
        curves[name] = _curves(name, predicted[name], boxes)
    precision_curve, success_curve = (
        np.mean([pair[i] for pair in curves.values()], axis=0) for i in (0, 1)
    )
    return {
        **_scores(precision_curve, success_curve),
        "precision_curve": precision_curve,
        "success_curve": success_curve,
        "sequences": {name: _scores(*pair) for name, pair in curves.items()},
    }


def _curves(name, predicted, truth):
    predicted = as_boxes(f"predicted[{name!r}]", predicted).copy()
    truth = as_boxes(f"truth[{name!r}]", truth)
    if len(predicted) != len(truth):
        raise ValueError(
            f"Sequence {name!r} has {len(truth)} frames and {len(predicted)} "
            "predicted boxes; give one for each frame, the first included."
        )
    known = np.isfinite(truth).all(axis=1)
    if not known.any():
        raise ValueError(f"Sequence {name!r} has no frame with a true box.")
    predicted[0] = truth[0]
    predicted, truth = predicted[known], truth[known]
    tracked = np.isfinite(predicted).all(axis=1)
    distances = np.full(len(truth), np.inf)
    overlaps = np.zeros(len(truth))
    offsets = _centres(predicted[tracked]) - _centres(truth[tracked])
    distances[tracked] = np.hypot(*offsets.T)
    overlaps[tracked] = paired_box_iou(
        _corners(predicted[tracked]), _corners(truth[tracked])
    )
    return (
        (distances[:, None] <= DISTANCES).mean(axis=0),
        (overlaps[:, None] > OVERLAPS).mean(axis=0),
    )


def _scores(precision_curve, success_curve):
    return {
        "precision": float(precision_curve[PRECISION_AT]),
        "success": float(success_curve.mean()),
    }


def _centres(boxes):
    return boxes[:, :2] + (boxes[:, 2:] - 1) / 2


def _corners(boxes):
    left, top, width, height = boxes.T
    return np.stack([top, left, top + height, left + width], axis=1)
