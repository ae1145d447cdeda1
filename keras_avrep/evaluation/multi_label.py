"""Mean average precision of examples with several labels, as Charades has it."""

import numpy as np

from keras_avrep.evaluation.average_precision import (
    falling,
    mean_of_known,
    plain_average_precision,
)


def multi_label_average_precision(scores, labels, drop_unlabelled=False):
    """Mean over the classes of the average precision, Charades' measure.

    For each class the examples are ranked by score; its average precision is the
    mean of the precisions at the ranks of the positives, without interpolation.
    Classes without positives are dropped. Equal scores keep their order.

    Args:
        scores: array `(N, C)`. Any monotone score of each class.
        labels: array `(N, C)` of 0 and 1; see `multi_hot`.
        drop_unlabelled: bool. Whether examples without any label are left out, as
            recalled of the official script. Defaults to `False`.

    Returns:
        Dict of `mean_average_precision`, a float in [0, 1] (NaN without any
        label), and `average_precision`, float64 `(C,)`, NaN for classes without
        positives.

    Raises:
        ValueError: if the shapes differ, a score is no number, or a label is
            neither 0 nor 1.

    Example:
    ```python
    scores = [[0.9, 0.1], [0.4, 0.8]]
    labels = [[1, 0], [1, 1]]
    multi_label_average_precision(scores, labels)["mean_average_precision"]  # 1.0
    ```

    Reference: note of TeG (arXiv:2112.04480), section 9.
    """
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    if scores.ndim != 2 or scores.shape != labels.shape:
        raise ValueError(
            f"`scores` has the shape {scores.shape} and `labels` {labels.shape}; give "
            "both as (examples, classes)."
        )
    if np.isnan(scores).any():
        raise ValueError("`scores` holds what is no number; check the model.")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("`labels` holds values that are neither 0 nor 1.")
    labels = labels.astype(bool)
    if drop_unlabelled:
        kept = labels.any(axis=1)
        scores, labels = scores[kept], labels[kept]
    precisions = [
        plain_average_precision(labels[falling(scores[:, c]), c])
        for c in range(labels.shape[1])
    ]
    return {
        "mean_average_precision": mean_of_known(precisions),
        "average_precision": np.asarray(precisions, np.float64),
    }


def multi_hot(labels, classes):
    """Labels of examples as rows of 0 and 1.

    Args:
        labels: for each example, an iterable of its labels.
        classes: list of all labels, in the order of the columns.

    Returns:
        uint8 array `(N, C)`.

    Raises:
        ValueError: if a label is not among the classes.

    Example:
    ```python
    multi_hot([["c000"], ["c000", "c002"]], ["c000", "c001", "c002"])
    ```
    """
    columns = {label: column for column, label in enumerate(classes)}
    rows = np.zeros((len(labels), len(columns)), np.uint8)
    for row, own in zip(rows, labels, strict=True):
        for label in own:
            if label not in columns:
                raise ValueError(f"`classes` lacks the label {label!r}; list it too.")
            row[columns[label]] = 1
    return rows
