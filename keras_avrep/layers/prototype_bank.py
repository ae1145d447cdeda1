import keras
import numpy as np
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class PrototypeBank(keras.layers.Layer):
    """One prototype for each class: the mean of the features that belong to it.

    Prototypes are no parameters: they change when `update` is called, between
    phases of training, and are saved with the weights.

    Args:
        num_classes: int. K.
        dim: int. C.

    Attributes:
        prototypes: variable `(K, C)`, zeros before the first update.
        counts: int32 variable `(K,)`. Features that the last update had of each
            class.

    Call arguments:
        inputs: tensor `(..., C)`.

    Returns:
        float32 tensor `(..., K)` of cosines.

    Raises:
        ValueError: if features or ids do not fit.

    Example:
    ```python
    bank = PrototypeBank(num_classes=3, dim=2)
    bank.update([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]], [0, 2, 2])
    bank(keras.ops.array([[0.0, 5.0]]))  # [[0, 0, 1]]
    ```

    Reference: IEr (arXiv:2202.06406), note sections 3.2, 5 and 8.
    """

    def __init__(self, num_classes, dim, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_classes = num_classes
        self.dim = dim
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=(num_classes, dim),
            initializer="zeros",
            trainable=False,
        )
        self.counts = self.add_weight(
            name="counts",
            shape=(num_classes,),
            initializer="zeros",
            dtype="int32",
            trainable=False,
        )
        self.built = True

    def call(self, inputs):
        return self.cosines(inputs)

    def cosines(self, inputs):
        """Cosine of inputs `(..., C)` with each prototype, float32 `(..., K)`."""
        return ops.matmul(
            unit_length(inputs), ops.transpose(unit_length(self.prototypes))
        )

    def update(self, features, ids):
        """Take the means of features as prototypes; an empty class keeps its own.

        Args:
            features: array `(N, C)`.
            ids: N ints, the class of each; negative ones belong to none.
        """
        features, ids = np.asarray(features, np.float64), np.asarray(ids, int)
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(
                f"`features` has the shape {features.shape}; it needs (N, {self.dim})."
            )
        if ids.shape != features.shape[:1] or (ids >= self.num_classes).any():
            raise ValueError(
                f"`ids` must be {len(features)} numbers below {self.num_classes}."
            )
        means, counts = class_means(
            features, ids, ops.convert_to_numpy(self.prototypes)
        )
        self.prototypes.assign(means)
        self.counts.assign(counts.astype("int32"))

    def keep_numbers(self, centres):
        """Which class each new centre continues, so that classes keep their numbers.

        Classes are paired one to one with the centres so that the sum of the cosines
        of the present prototypes is the largest. Without prototypes the order stays.

        Args:
            centres: array `(K, C)`.

        Returns:
            int64 array `(K,)`: the class of each centre.
        """
        from scipy.optimize import linear_sum_assignment

        centres = ops.convert_to_tensor(np.asarray(centres, "float32"))
        cosines = ops.convert_to_numpy(self.cosines(centres))
        if not np.any(cosines):
            return np.arange(self.num_classes)
        rows, classes = linear_sum_assignment(cosines, maximize=True)
        return classes[np.argsort(rows)]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dim": self.dim,
        }


def class_means(features, ids, old):
    """The mean of the features of each class, the old row of an empty one.

    Args:
        features: array `(N, C)`.
        ids: int array `(N,)`, the class of each; negative ones belong to none.
        old: array `(K, C)`.

    Returns:
        Array `(K, C)` and int array `(K,)`, the number of features of each class.
    """
    belongs = ids[:, None] == np.arange(len(old))
    counts = belongs.sum(axis=0)
    means = belongs.T @ features / np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, means, old), counts
