import warnings

import keras
import numpy as np
from keras import ops

from keras_avrep.layers.prototype_bank import PrototypeBank, class_means
from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ObjectDictionary(PrototypeBank):
    """What objects look like: one row for each cluster of their features.

    Clusters are found by K-means on features of unit length; rows are means of the
    features as they are, so their length tells the size of the objects. From one
    `fit` to the next clusters keep their numbers, and an empty one keeps its row.

    Args:
        num_classes: int. K, the number of clusters.
        dim: int. C.
        seed: int. Of the first centres. Defaults to 0.
        unit_rows: bool. Whether inputs are compared with rows of unit length. With
            rows as they are, a cluster of large or strong objects, whose row is some
            times longer than others, is the best everywhere. Defaults to `False`, as
            released.

    Call arguments:
        inputs: tensor `(..., C)`, a map of features.

    Returns:
        float32 tensor `(..., K)` of inner products with the rows.

    Example:
    ```python
    dictionary = ObjectDictionary(num_classes=2, dim=2)
    ids = dictionary.fit([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    dictionary(keras.ops.ones((1, 6, 6, 2))).shape  # (1, 6, 6, 2)
    ```

    Reference: CSOL (arXiv:2112.11749), note sections 3.3 and 3.4.
    """

    def __init__(self, num_classes, dim, seed=0, unit_rows=False, **kwargs):
        super().__init__(num_classes, dim, **kwargs)
        self.seed = seed
        self.unit_rows = unit_rows
        # Where the clusters are, for features that come later.
        self.centres = self.add_weight(
            name="centres",
            shape=(num_classes, dim),
            initializer="zeros",
            trainable=False,
        )

    def call(self, inputs):
        rows = ops.convert_to_tensor(self.prototypes)
        if self.unit_rows:
            rows = unit_length(rows)
        return ops.matmul(ops.cast(inputs, "float32"), ops.transpose(rows))

    def fit(self, features):
        """Cluster features and take the clusters' means as rows.

        Args:
            features: array `(N, C)`, at least as many as clusters.

        Returns:
            int64 array `(N,)`, the cluster of each.

        Raises:
            ValueError: if there are fewer features than clusters, or they hold
                numbers that are not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or len(features) < self.num_classes:
            raise ValueError(
                f"`features` has the shape {features.shape}; {self.num_classes} "
                "clusters need as many features or more, `(N, C)`."
            )
        if not np.isfinite(features).all():
            raise ValueError("`features` holds numbers that are not finite.")
        unit = _unit_rows(features)
        centres, ids = _k_means(unit, self.num_classes, self.seed)
        number = self.keep_numbers(centres)
        ids = number[ids]
        self.centres.assign(centres[np.argsort(number)])
        self.update(features, ids)
        return ids

    def refresh(self, features, ids):
        """Follow features that have moved and belong to the clusters they had.

        Args:
            features: array `(N, C)`.
            ids: N ints, the cluster of each, as `fit` returned them.
        """
        features, ids = np.asarray(features, np.float64), np.asarray(ids, int)
        self.update(features, ids)
        old = ops.convert_to_numpy(self.centres)
        self.centres.assign(class_means(_unit_rows(features), ids, old)[0])

    def predict(self, features):
        """The cluster of each feature `(N, C)`, int64 `(N,)`, nothing changed."""
        unit = _unit_rows(np.asarray(features, np.float64))
        return _nearest(unit, ops.convert_to_numpy(self.centres))

    def get_config(self):
        return {
            **super().get_config(),
            "seed": self.seed,
            "unit_rows": self.unit_rows,
        }


def _unit_rows(features):
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, 1e-6)


def _nearest(points, centres):
    distances = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return distances.argmin(axis=1)


def _k_means(points, count, seed, restarts=8):
    """The best of several runs: centres `(count, C)` and the id of each point."""
    from scipy.cluster.vq import kmeans2

    best = None
    for run in range(restarts):
        rng = np.random.default_rng([seed, run])
        with warnings.catch_warnings():
            # Scipy warns of empty clusters, which keep their centre, and of fewer
            # different points than clusters, which leads to them.
            warnings.simplefilter("ignore")
            centres, ids = kmeans2(points, count, minit="++", rng=rng)
        cost = ((points - centres[ids]) ** 2).sum()
        if best is None or cost < best[0]:
            best = cost, centres, ids
    return best[1:]
