"""How well frames of long videos are labelled: accuracy, edit score, F1."""

import numpy as np

OVERLAPS = (0.10, 0.25, 0.50)


def segmentation_scores(predicted, truth, ignored=("background",)):
    """Scores of temporal action segmentation, as MS-TCN has them.

    Runs of one label are segments. Only the segments of ignored labels are left
    out of the edit score and F1; their frames count for the accuracy. So a name
    like Breakfast's `SIL` is an action unless it is listed.

    Args:
        predicted: dict from video to its sequence of frame labels.
        truth: dict from video to its sequence of frame labels, as long.
        ignored: labels that are no actions. Defaults to `("background",)`.

    Returns:
        Dict of floats in [0, 1] (papers give them times 100): `accuracy`, right
        frames of all videos together; `edit`, mean over the videos of 1 minus the
        Levenshtein distance of the segments' labels relative to the longer of
        both; `f1_at_10`, `f1_at_25` and `f1_at_50`, F1 of the segments of all
        videos together, one being found if a segment of its label, that has no
        better one and is not taken, overlaps it by that share.

    Raises:
        ValueError: if there is no video, one is missing, or lengths differ.

    Example:
    ```python
    truth = {"v": ["pour", "pour", "stir", "stir"]}
    predicted = {"v": ["pour", "stir", "stir", "stir"]}
    segmentation_scores(predicted, truth)["accuracy"]  # 0.75
    ```

    Reference: note of TeG (arXiv:2112.04480), section 9.
    """
    pairs = [_pair(video, predicted, truth) for video in truth]
    num_frames = sum(len(t) for _, t in pairs)
    if num_frames == 0:
        raise ValueError("`truth` has no frames; give at least one video with labels.")
    right = sum(sum(p == t for p, t in zip(*pair, strict=True)) for pair in pairs)
    segments = [tuple(_segments(labels, ignored) for labels in pair) for pair in pairs]
    scores = {
        "accuracy": right / num_frames,
        "edit": float(np.mean([_edit_score(*pair) for pair in segments])),
    }
    for overlap in OVERLAPS:
        scores[f"f1_at_{round(100 * overlap)}"] = _f1(segments, overlap)
    return scores


def _pair(video, predicted, truth):
    if video not in predicted:
        raise ValueError(f"`predicted` lacks the video {video!r}; label it too.")
    pair = list(predicted[video]), list(truth[video])
    if len(pair[0]) != len(pair[1]):
        raise ValueError(
            f"Video {video!r} has {len(pair[1])} frames and {len(pair[0])} predicted "
            "labels; resample the prediction to the frames of the annotation."
        )
    return pair


def _segments(labels, ignored):
    """Triples of label, first frame and frame after the last."""
    starts = [i for i in range(len(labels)) if i == 0 or labels[i] != labels[i - 1]]
    ends = [*starts[1:], len(labels)]
    runs = zip(starts, ends, strict=True)
    return [(labels[s], s, e) for s, e in runs if labels[s] not in ignored]


def _edit_score(predicted, truth):
    longest = max(len(predicted), len(truth))
    if longest == 0:
        return 1.0
    labels = ([segment[0] for segment in part] for part in (predicted, truth))
    return 1 - _levenshtein(*labels) / longest


def _levenshtein(first, second):
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row = row, [i]
        for j, b in enumerate(second, 1):
            changed = before[j - 1] + (a != b)
            row.append(min(changed, before[j] + 1, row[j - 1] + 1))
    return row[-1]


def _f1(segments, overlap):
    hits = num_predicted = num_true = 0
    for predicted, truth in segments:
        taken = set()
        for segment in predicted:
            shares = [_overlap(segment, true) for true in truth]
            # The best only, the first of equals: a taken one is a miss.
            best = int(np.argmax(shares)) if shares else None
            if best is not None and shares[best] >= overlap and best not in taken:
                taken.add(best)
        hits += len(taken)
        num_predicted += len(predicted)
        num_true += len(truth)
    # 2PR / (P + R) with the counts put in, without its division by zero.
    return 2 * hits / max(num_predicted + num_true, 1)


def _overlap(first, second):
    if first[0] != second[0]:
        return 0.0
    common = min(first[2], second[2]) - max(first[1], second[1])
    return max(common, 0) / (max(first[2], second[2]) - min(first[1], second[1]))
