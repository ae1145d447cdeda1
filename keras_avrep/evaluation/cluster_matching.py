"""Which class a cluster stands for, and how well clusters follow classes."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def match_clusters(cluster_ids, labels, num_clusters=None, num_classes=None):
    """The class of each cluster, for evaluation only: it needs the truth.

    Clusters and classes are paired one to one so that as many samples as possible
    agree. A cluster that is left over, or that shares no sample with the class it
    got, takes the class that most of its samples have.

    Args:
        cluster_ids: N ints.
        labels: N ints. Classes.
        num_clusters: int. Defaults to `None`, the largest id and one.
        num_classes: int. Defaults to `None`, the largest label and one.

    Returns:
        int64 array `(num_clusters,)` of classes; -1 for clusters without samples.

    Raises:
        ValueError: if numbers do not fit.

    Example:
    ```python
    match_clusters([0, 0, 1, 2], [1, 1, 0, 0])  # [1, 0, 0]
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 6.
    """
    counts = contingency(cluster_ids, labels, num_clusters, num_classes)
    mapping = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
    clusters, classes = linear_sum_assignment(counts, maximize=True)
    shared = counts[clusters, classes] > 0
    mapping[clusters[shared]] = classes[shared]
    return mapping.astype(np.int64)


def sum_cluster_maps(maps, mapping, num_classes):
    """Maps of clusters added up to maps of classes.

    Args:
        maps: array `(..., clusters)`.
        mapping: ints `(clusters,)`, from `match_clusters`; -1 counts nowhere.
        num_classes: int.

    Returns:
        float64 array `(..., num_classes)`.

    Raises:
        ValueError: if there is not one entry of `mapping` for each cluster.

    Example:
    ```python
    sum_cluster_maps([[0.2, 0.3, 0.5]], [1, 0, 1], 2)  # [[0.3, 0.7]]
    ```
    """
    maps, mapping = np.asarray(maps, np.float64), np.asarray(mapping, int)
    if maps.shape[-1] != len(mapping):
        raise ValueError(
            f"`maps` has {maps.shape[-1]} clusters and `mapping` {len(mapping)}."
        )
    return maps @ (mapping[:, None] == np.arange(num_classes)).astype(np.float64)


def normalised_mutual_information(cluster_ids, labels):
    """Mutual information of clusters and classes, by the mean of their entropies.

    Args:
        cluster_ids: N ints.
        labels: N ints.

    Returns:
        float in [0, 1]; 1 if both divide the samples alike, also if there is one
        cluster and one class.

    Raises:
        ValueError: if numbers do not fit.

    Example:
    ```python
    normalised_mutual_information([0, 0, 1, 1], [1, 1, 0, 0])  # 1.0
    ```
    """
    joint = contingency(cluster_ids, labels).astype(np.float64)
    joint /= joint.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    independent = rows[:, None] * columns
    seen = joint > 0
    information = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))
    entropy = (_entropy(rows) + _entropy(columns)) / 2
    if entropy == 0:
        return 1.0
    return float(np.clip(information / entropy, 0, 1))


def contingency(cluster_ids, labels, num_clusters=None, num_classes=None):
    """How many samples of each cluster are of each class.

    Args:
        cluster_ids: N ints.
        labels: N ints.
        num_clusters: int. Defaults to `None`, the largest id and one.
        num_classes: int. Defaults to `None`, the largest label and one.

    Returns:
        int64 array `(num_clusters, num_classes)`.

    Raises:
        ValueError: if there are no samples, the lengths differ, or an id is out of
            range.
    """
    ids, labels = np.asarray(cluster_ids, int), np.asarray(labels, int)
    if ids.ndim != 1 or ids.shape != labels.shape or not len(ids):
        raise ValueError(
            f"`cluster_ids` has the shape {ids.shape} and `labels` {labels.shape}; "
            "give as many of both, at least one."
        )
    sizes = []
    for argument, values, size in (
        ("cluster_ids", ids, num_clusters),
        ("labels", labels, num_classes),
    ):
        size = int(values.max()) + 1 if size is None else size
        if values.min() < 0 or values.max() >= size:
            raise ValueError(f"`{argument}` holds numbers out of 0 to {size - 1}.")
        sizes.append(size)
    counts = np.zeros(sizes, np.int64)
    np.add.at(counts, (ids, labels), 1)
    return counts


def _entropy(shares):
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))
