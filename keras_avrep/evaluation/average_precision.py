"""Average precision of a ranking, in its common definitions."""

import numpy as np


def falling(scores):
    """Positions from the highest score to the lowest; ties keep their order."""
    return np.argsort(-np.asarray(scores, np.float64), kind="stable")


def enveloped_average_precision(hits, num_positives):
    """Area under the precision-recall curve, precision made monotone.

    Each recall step counts with the highest precision at it or at any higher
    recall, as in VOC 2010, AVA and ActivityNet.

    Args:
        hits: bools, one for every detection in falling order of score: whether
            it is right.
        num_positives: int. How many there were to be found.

    Returns:
        float in [0, 1]; NaN if there was nothing to be found.

    Example:
    ```python
    enveloped_average_precision([True, False, True], 2)  # 0.5 * 1 + 0.5 * 2 / 3
    ```
    """
    if num_positives == 0:
        return float("nan")
    hits, precision = _precision(hits)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / num_positives)


def plain_average_precision(hits):
    """Mean of the precisions at the ranks of the positives, as in Charades.

    Args:
        hits: bools, one for every example in falling order of score: whether it
            is a positive.

    Returns:
        float in [0, 1]; NaN without positives.

    Example:
    ```python
    plain_average_precision([True, False, True])  # (1 + 2 / 3) / 2
    ```
    """
    hits, precision = _precision(hits)
    return float(precision[hits].mean()) if hits.any() else float("nan")


def tied_average_precision(scores, positives):
    """Mean of the precisions at the positives, equal scores being one rank.

    So it does not depend on the order of the examples, and a constant gets the
    share of positives.

    Args:
        scores: N floats.
        positives: N bools.

    Returns:
        float in [0, 1]; NaN without positives.

    Example:
    ```python
    tied_average_precision([0.9, 0.5, 0.5], [True, False, True])  # (1 + 2 / 3) / 2
    ```
    """
    order = falling(scores)
    scores, hits = np.asarray(scores)[order], np.asarray(positives, bool)[order]
    if not hits.any():
        return float("nan")
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    found = np.cumsum(hits)[ends]
    precision = found / (ends + 1)
    return float(np.sum(np.diff(found, prepend=0) * precision) / found[-1])


def mean_of_known(values):
    """Mean of the values that are no NaN; NaN if there is none."""
    values = np.asarray(list(values), np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def _precision(hits):
    hits = np.asarray(hits, bool)
    return hits, np.cumsum(hits) / np.arange(1, len(hits) + 1)
