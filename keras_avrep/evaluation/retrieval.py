"""Retrieval with cosine similarity, as video representation papers report it."""

import numpy as np

RECALL_AT = (1, 5, 10, 20, 50)


def normalise_features(features, centre=True):
    """Subtract the split's own mean and scale to unit length.

    Args:
        features: array `(N, D)`.
        centre: bool. Defaults to `True`.

    Returns:
        float64 array `(N, D)`; a zero vector stays zero.
    """
    features = np.asarray(features, np.float64)
    if centre:
        features = features - features.mean(axis=0)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(norms, 1e-12)


def nearest_neighbours(queries, gallery, k, centre=True):
    """The most similar gallery entries of each query.

    Args:
        queries: array `(Q, D)`.
        gallery: array `(G, D)`.
        k: int. Neighbours; at most G are returned.
        centre: bool. Whether each set's own mean is subtracted first, by which what a
            query finds depends on the other queries; from a single one it is that of
            the gallery. Defaults to `True`.

    Returns:
        Indices int `(Q, k)`, most similar first, and similarities float
        `(Q, k)`.

    Example:
    ```python
    indices, similarities = nearest_neighbours(test.values, train.values, k=5)
    ```
    """
    if centre and len(queries) == 1:
        # It is its own mean: nothing of it would be left.
        middle = np.mean(gallery, axis=0, dtype=np.float64)
        asked = normalise_features(queries - middle, centre=False)
    else:
        asked = normalise_features(queries, centre)
    similarity = asked @ normalise_features(gallery, centre).T
    # A stable sort: ties keep the gallery's order on every machine.
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(similarity, order, axis=1)


def retrieval_recall(
    queries, gallery, query_labels, gallery_labels, ks=RECALL_AT, centre=True
):
    """Share of queries with one of their label among the k nearest.

    Args:
        queries: array `(Q, D)`. Features of the test split.
        gallery: array `(G, D)`. Features of the train split.
        query_labels: Q labels.
        gallery_labels: G labels.
        ks: numbers of neighbours; those above G are left out. Defaults to 1, 5, 10,
            20 and 50.
        centre: bool. As of `nearest_neighbours`. Defaults to `True`.

    Returns:
        Dict from `"r_at_K"` to a float in [0, 1].

    Example:
    ```python
    retrieval_recall(test.values, train.values, test_labels, train_labels)["r_at_1"]
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.3.
    """
    gallery_labels = np.asarray(gallery_labels)
    largest = min(max(ks), len(gallery_labels))
    order, _ = nearest_neighbours(queries, gallery, largest, centre)
    hits = gallery_labels[order] == np.asarray(query_labels)[:, None]
    return {
        f"r_at_{k}": float(hits[:, :k].any(axis=1).mean()) for k in ks if k <= largest
    }


def knn_accuracy(
    queries,
    gallery,
    query_labels,
    gallery_labels,
    k=20,
    temperature=0.1,
    centre=True,
):
    """Accuracy of the similarity-weighted vote of the k nearest neighbours.

    Args:
        queries: array `(Q, D)`. Features of the test split.
        gallery: array `(G, D)`. Features of the train split.
        query_labels: Q labels.
        gallery_labels: G labels.
        k: int. Defaults to 20.
        temperature: float. A vote is `exp(similarity / temperature)`. Defaults
            to 0.1.
        centre: bool. As of `nearest_neighbours`. Defaults to `True`.

    Returns:
        float in [0, 1].

    Example:
    ```python
    knn_accuracy(test.values, train.values, test_labels, train_labels)
    ```
    """
    classes, numbers = np.unique(np.asarray(gallery_labels), return_inverse=True)
    k = min(k, len(numbers))
    order, similarity = nearest_neighbours(queries, gallery, k, centre)
    votes = np.zeros((len(order), len(classes)))
    rows = np.arange(len(order))[:, None]
    np.add.at(votes, (rows, numbers[order]), np.exp(similarity / temperature))
    return float((classes[votes.argmax(axis=1)] == np.asarray(query_labels)).mean())
