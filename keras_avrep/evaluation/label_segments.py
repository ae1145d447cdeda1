"""From a label for every frame to segments in seconds."""

from collections.abc import Collection, Sequence

import numpy as np


def label_segments(
    labels: Sequence[str],
    fps: float,
    probabilities: np.ndarray | None = None,
    classes: Sequence[str] | None = None,
    ignored: Collection[str] = (),
) -> list[dict]:
    """Runs of one label as segments, scored by its mean probability.

    Args:
        labels: the label of each of F frames.
        fps: float. Frames a second.
        probabilities: array `(F, K)` of class probabilities, such as those of
            `keras_avrep.models.MSTCN`. Defaults to `None`, segments without scores.
        classes: K labels in the order of the probabilities; needed with them.
        ignored: labels that are no actions, such as `"background"`, whose runs are
            left out. Defaults to none.

    Returns:
        List of dicts of `label`, `segment`, start and end in seconds, and `score`
        where there are probabilities, as `detection_average_precision` takes them.

    Raises:
        ValueError: if there are probabilities without classes, or of other frames.

    Example:
    ```python
    label_segments(["pour", "pour", "stir"], fps=2.0)
    # [{"label": "pour", "segment": [0.0, 1.0]}, {"label": "stir", …}]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 6.
    """
    labels = list(labels)
    if probabilities is not None:
        _check(labels, probabilities, classes)
    cuts = [i for i in range(1, len(labels)) if labels[i] != labels[i - 1]]
    ends = [*cuts, len(labels)] if labels else []
    found, start = [], 0
    for stop in ends:
        label = labels[start]
        entry = {"label": label, "segment": [start / fps, stop / fps]}
        if probabilities is not None:
            share = np.asarray(probabilities)[start:stop, list(classes).index(label)]
            entry["score"] = float(share.mean())
        if label not in ignored:
            found.append(entry)
        start = stop
    return found


def _check(labels, probabilities, classes):
    shape = np.shape(probabilities)
    if classes is None or shape != (len(labels), len(classes)):
        raise ValueError(
            f"`probabilities` has shape {shape}; give one row for each of the "
            f"{len(labels)} labels and one column for each of `classes`."
        )
