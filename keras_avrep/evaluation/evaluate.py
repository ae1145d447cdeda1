"""All measures of frozen features, by label."""

import numpy as np

from keras_avrep.evaluation.embed import Features
from keras_avrep.evaluation.linear_probe import chance_level, linear_probe_accuracy
from keras_avrep.evaluation.retrieval import knn_accuracy, retrieval_recall


def evaluate_features(train: Features, test: Features, seed: int = 0) -> dict:
    """Retrieval, kNN and linear probe for every label both splits have.

    Args:
        train: `Features` of the gallery.
        test: `Features` of the queries.
        seed: int. Of the probe. Defaults to 0.

    Returns:
        `{"retrieval": {label: {"r_at_1", …}}, "probe": {label: {"linear",
        "knn", "chance"}}}`, accuracies in [0, 1].

    Example:
    ```python
    results = evaluate_features(train, test)
    results["probe"]["motion"]["knn"]
    ```
    """
    retrieval, probe = {}, {}
    for name in sorted(set(train.labels) & set(test.labels)):
        known, queried = np.asarray(train.labels[name]), np.asarray(test.labels[name])
        if len(set(known.tolist())) < 2:
            continue
        pair = (test.values, train.values, queried, known)
        retrieval[name] = retrieval_recall(*pair)
        probe[name] = {
            "linear": linear_probe_accuracy(
                train.values, test.values, known, queried, seed=seed
            ),
            "knn": knn_accuracy(*pair),
            "chance": chance_level(queried),
        }
    return {"retrieval": retrieval, "probe": probe}


def instance_retrieval(first, second, ks=(1, 5, 10)):
    """Recall of the other clip of the same video; needs no labels.

    Args:
        first: array `(N, D)`. Features of one clip of each video.
        second: array `(N, D)`. Features of another clip, in the same order.
        ks: numbers of neighbours. Defaults to 1, 5 and 10.

    Returns:
        Dict from `"r_at_K"` to a float in [0, 1].

    Example:
    ```python
    features = np.random.default_rng(0).normal(size=(20, 8))
    keras_avrep.evaluation.instance_retrieval(features, features)["r_at_1"]  # 1.0
    ```
    """
    names = np.arange(len(first))
    return retrieval_recall(first, second, names, names, ks)
