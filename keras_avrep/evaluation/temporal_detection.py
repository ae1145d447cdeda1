"""Average precision of temporal segments with actions, as ActivityNet has it."""

import numpy as np

from keras_avrep.evaluation.average_precision import (
    enveloped_average_precision,
    falling,
    mean_of_known,
)

THRESHOLDS = tuple(float(t) for t in np.linspace(0.5, 0.95, 10))


def detection_average_precision(predicted, truth, thresholds=THRESHOLDS):
    """Mean average precision of detected segments, ActivityNet's measure.

    The predictions of a class are taken by falling score over all videos. Each
    scans the true segments of its video from the one that it overlaps most to
    the least, and takes the first free one, if the overlap reaches the
    threshold; otherwise it is wrong. (AVA's measure instead looks at the best
    only.) Predictions of classes without a true segment do not count, those in
    videos without one of their class are wrong. Equal scores keep their order.

    Args:
        predicted: dict from video to a list of dicts with `label`, `segment`
            (start and end, in seconds) and `score`.
        truth: dict from video to a list of dicts with `label` and `segment`.
        thresholds: floats. Least overlaps. Defaults to 0.5, 0.55, …, 0.95.

    Returns:
        Dict of `average`, a float, the mean over the thresholds;
        `mean_average_precision`, a list of floats, one for each threshold, means
        over the classes in `truth` (NaN if there is none); and
        `average_precision`, a dict from class to such a list.

    Raises:
        ValueError: if a segment is no pair of numbers or a score no number.

    Example:
    ```python
    truth = {"video": [{"label": "surfing", "segment": [2.0, 9.5]}]}
    predicted = {"video": [{"label": "surfing", "segment": [2, 9], "score": 0.8}]}
    detection_average_precision(predicted, truth)["average"]  # 0.9
    ```

    Reference: note of TeG (arXiv:2112.04480), section 9.
    """
    true_segments = _by_class("truth", truth)
    found = _by_class("predicted", predicted, scored=True)
    precisions = {
        label: _one_class(found.get(label, []), true_segments[label], thresholds)
        for label in sorted(true_segments)
    }
    means = [
        mean_of_known(values[i] for values in precisions.values())
        for i in range(len(thresholds))
    ]
    return {
        "average": float(np.mean(means)),
        "mean_average_precision": means,
        "average_precision": precisions,
    }


def temporal_iou(segment, segments):
    """Overlap of one segment with several, relative to their union.

    Args:
        segment: start and end.
        segments: array `(N, 2)` of starts and ends.

    Returns:
        float64 array `(N,)` in [0, 1].

    Example:
    ```python
    temporal_iou([0, 2], [[1, 3], [5, 6]])  # [1 / 3, 0]
    ```
    """
    segments = np.asarray(segments, np.float64).reshape(-1, 2)
    start, end = np.asarray(segment, np.float64)
    common = np.minimum(end, segments[:, 1]) - np.maximum(start, segments[:, 0])
    common = np.maximum(common, 0)
    union = (end - start) + (segments[:, 1] - segments[:, 0]) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def _by_class(argument, annotations, scored=False):
    """Dict from label to its (video, segment, score)."""
    grouped = {}
    for video, entries in annotations.items():
        for entry in entries:
            segment = np.asarray(entry["segment"], np.float64)
            score = float(entry["score"]) if scored else 0.0
            if segment.shape != (2,) or np.isnan([*segment, score]).any():
                raise ValueError(
                    f"`{argument}` has in {video!r} the entry {entry}; give start and "
                    "end, and predictions a score, as numbers."
                )
            grouped.setdefault(entry["label"], []).append((video, segment, score))
    return grouped


def _one_class(found, true_segments, thresholds):
    by_video = {}
    for video, segment, _ in true_segments:
        by_video.setdefault(video, []).append(segment)
    free = {
        video: np.ones((len(thresholds), len(s)), bool) for video, s in by_video.items()
    }
    hits = np.zeros((len(thresholds), len(found)), bool)
    for rank, position in enumerate(falling([score for *_, score in found])):
        video, segment, _ = found[position]
        if video not in by_video:
            continue
        overlaps = temporal_iou(segment, by_video[video])
        for place in falling(overlaps):
            # Thresholds that still want a hit, reached here, and free.
            takes = overlaps[place] >= np.asarray(thresholds)
            takes &= free[video][:, place] & ~hits[:, rank]
            free[video][takes, place] = False
            hits[takes, rank] = True
    return [enveloped_average_precision(row, len(true_segments)) for row in hits]
