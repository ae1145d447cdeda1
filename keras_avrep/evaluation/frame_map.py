"""Mean average precision of boxes with actions in key frames, as AVA has it."""

import numpy as np

from keras_avrep.evaluation.average_precision import (
    enveloped_average_precision,
    falling,
    mean_of_known,
)
from keras_avrep.evaluation.box_overlap import as_boxes, box_iou


def frame_mean_average_precision(
    detections, truth, classes=None, threshold=0.5, skip_empty_frames=False
):
    """Mean average precision of labelled boxes over key frames, AVA's measure.

    In every frame and class the detections are taken by falling score. Each
    looks only at the true box that it overlaps most (the first of equals): it
    is right if the overlap reaches the threshold and no higher score has taken
    that box; so a second detection of a person is wrong even where another
    person would do. Then the detections of all frames are ranked together. A
    detection in a frame that `truth` does not name is wrong. Equal scores keep
    the order they are given in.

    Args:
        detections: dict from key frame (any key, such as `(video_id, second)`)
            to a dict of `boxes` `(N, 4)` as `y1, x1, y2, x2`, `labels` `(N,)`
            and `scores` `(N,)`. A person with scores for many actions is one
            entry for each.
        truth: dict from key frame to a dict of `boxes` `(M, 4)` and `labels`
            `(M,)`; a person with several actions is one entry for each.
        classes: the labels that count, such as the 60 of AVA's challenge list;
            all others are left out of both. Defaults to `None`, the labels in
            `truth`.
        threshold: float. Least intersection over union. Defaults to 0.5.
        skip_empty_frames: bool. Whether detections are passed over in frames
            without a true box of the classes. AVA's official script counts them
            as wrong; some evaluators skip such frames. Defaults to `False`.

    Returns:
        Dict of `mean_average_precision`, a float over the classes that have a
        true box (NaN if none has), and `average_precision`, a dict from class to
        float, NaN for classes without a true box.

    Raises:
        ValueError: if a frame's arrays differ in length or a score is no number.

    Example:
    ```python
    truth = {"frame": {"boxes": [[0, 0, 1, 1]], "labels": [3]}}
    detections = {"frame": {**truth["frame"], "scores": [0.9]}}
    scores = frame_mean_average_precision(detections, truth)
    scores["mean_average_precision"]  # 1.0
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 9.
    """
    truth = {frame: _checked(frame, entry) for frame, entry in truth.items()}
    found = {f: _checked(f, e, scored=True) for f, e in detections.items()}
    if classes is None:
        classes = {
            label for _, labels, _ in truth.values() for label in labels.tolist()
        }
    classes = sorted(set(classes))
    if skip_empty_frames:
        kept = {
            f for f, (_, labels, _) in truth.items() if np.isin(labels, classes).any()
        }
        found = {frame: entry for frame, entry in found.items() if frame in kept}
    precisions = {c: _one_class(c, found, truth, threshold) for c in classes}
    return {
        "mean_average_precision": mean_of_known(precisions.values()),
        "average_precision": precisions,
    }


def _checked(frame, entry, scored=False):
    """Boxes, labels and scores of a frame as arrays."""
    boxes = as_boxes("boxes", entry["boxes"])
    labels = np.asarray(entry["labels"]).reshape(-1)
    scores = np.asarray(entry["scores"] if scored else [], np.float64).reshape(-1)
    lengths = {len(boxes), len(labels), *([len(scores)] if scored else [])}
    if len(lengths) > 1:
        raise ValueError(
            f"Frame {frame!r} has {len(boxes)} boxes, {len(labels)} labels"
            + (f" and {len(scores)} scores" if scored else "")
            + "; give as many of each."
        )
    if np.isnan(scores).any():
        raise ValueError(
            f"Frame {frame!r} has a score that is no number; leave it out."
        )
    return boxes, labels, scores


def _one_class(label, found, truth, threshold):
    num_positives = sum((labels == label).sum() for _, labels, _ in truth.values())
    hits, scores = [np.zeros(0, bool)], [np.zeros(0)]
    for frame, (boxes, labels, values) in found.items():
        mine = np.flatnonzero(labels == label)
        mine = mine[falling(values[mine])]
        true_boxes, true_labels, _ = truth.get(frame, (np.zeros((0, 4)), [], None))
        true_boxes = true_boxes[np.asarray(true_labels) == label]
        hits.append(_match(box_iou(boxes[mine], true_boxes), threshold))
        scores.append(values[mine])
    order = falling(np.concatenate(scores))
    return enveloped_average_precision(np.concatenate(hits)[order], num_positives)


def _match(overlap, threshold):
    """Which rows take their best column, the first rows first."""
    hits = np.zeros(len(overlap), bool)
    if overlap.shape[1] == 0:
        return hits
    taken = set()
    for row, column in enumerate(overlap.argmax(axis=1)):
        if overlap[row, column] >= threshold and column not in taken:
            hits[row] = True
            taken.add(column)
    return hits
