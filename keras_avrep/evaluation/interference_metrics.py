"""How well quiet sources are heard and unseen ones erased: metrics of Keras."""

import keras
from keras import ops

from keras_avrep.evaluation.interference import LEVELS
from keras_avrep.evaluation.localization_metrics import frame_weights, share_of


@keras.saving.register_keras_serializable(package="keras_avrep")
class LevelwiseAveragePrecision(keras.metrics.Metric):
    """How well sources are identified, by how much quieter than the loudest they are.

    The measure of `level_wise_average_precision` in constant memory and on any backend:
    scores are counted in bins, and those of a bin are tied.

    Args:
        edges: falling floats, in dB. A source belongs to the edge it is nearest to,
            the louder one of two. Defaults to (0, -5, -10, -15, -20).
        threshold: float. Score from which a class counts as audible, for F1. Defaults
            to 0.5.
        score_range: pair of floats that all scores lie between. Defaults to (-1, 1),
            for cosines and probabilities.
        bins: int. Of scores, of equal width. Defaults to 2000.
        name: string. Defaults to `"levelwise_average_precision"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        Dict of float32 scalars: `average_precision_all`, `f1_all`,
        `average_precision_0_db`, `f1_0_db` and so on for each edge; NaN where there is
        no such source.

    Raises:
        ValueError: if `bins` is not positive, `edges` do not fall, or `score_range`
            does not rise.

    Example:
    ```python
    metric = LevelwiseAveragePrecision(edges=(0.0, -10.0))
    metric.update_state([[0.0, -10.0, float("nan")]], [[0.9, 0.2, 0.4]])
    float(metric.result()["average_precision_-10_db"])  # 0.5
    ```

    Reference: IEr (arXiv:2202.06406), note section 6.
    """

    def __init__(
        self,
        edges=LEVELS,
        threshold=0.5,
        score_range=(-1.0, 1.0),
        bins=2000,
        name="levelwise_average_precision",
        dtype="float32",
    ):
        super().__init__(name=name, dtype=dtype)
        if bins < 1:
            raise ValueError(f"`bins` is {bins}; give 1 or more.")
        if list(edges) != sorted(edges, reverse=True) or not len(edges):
            raise ValueError(f"`edges` is {edges}; give falling numbers.")
        if not score_range[0] < score_range[1]:
            raise ValueError(f"`score_range` is {score_range}; give rising numbers.")
        self.edges = [float(edge) for edge in edges]
        self.threshold = threshold
        self.score_range = tuple(float(score) for score in score_range)
        self.bins = bins
        # The first row is of all levels.
        shape = (1 + len(self.edges), bins)
        self.positives = self.add_variable(shape, "zeros", name="positives")
        self.negatives = self.add_variable(shape, "zeros", name="negatives")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count some samples.

        Args:
            y_true: tensor `(B, K)`. Level of each source in dB relative to any
                reference; NaN for classes that are not audible.
            y_pred: tensor `(B, K)`. How surely each class is audible.
            sample_weight: tensor `(B,)`. Defaults to `None`, 1 each.
        """
        levels, scores = (ops.cast(x, "float32") for x in (y_true, y_pred))
        positive, negative = self.counted(levels)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, "float32")[:, None, None]
            positive, negative = positive * weights, negative * weights
        place = ops.cast(ops.floor(self.bin_of(scores)), "int32")
        place = ops.one_hot(ops.clip(place, 0, self.bins - 1), self.bins)
        for found, kind in ((self.positives, positive), (self.negatives, negative)):
            found.assign(found + ops.einsum("bke,bkn->en", kind, place))

    def bin_of(self, score):
        """The bin of a score, with fractions."""
        low, high = self.score_range
        return (score - low) / (high - low) * self.bins

    def counted(self, levels):
        """Which classes of which samples are positives and negatives of each row.

        Args:
            levels: float32 tensor `(B, K)`.

        Returns:
            Two float32 tensors `(B, K, 1 + number of edges)`.
        """
        audible = ops.logical_not(ops.isnan(levels))
        levels = ops.where(audible, levels, -1e9)
        relative = levels - ops.max(levels, axis=1, keepdims=True)
        edges = ops.convert_to_tensor(self.edges, "float32")
        # argmin takes the first, hence the louder, of two that are equally near.
        nearest = ops.argmin(ops.abs(relative[..., None] - edges), axis=-1)
        heard = ops.cast(audible, "float32")[..., None]
        positive = heard * ops.one_hot(nearest, len(self.edges))
        negative = (1 - heard) * ops.max(positive, axis=1, keepdims=True)
        return (
            ops.concatenate([heard, positive], axis=-1),
            ops.concatenate([1 - heard, negative], axis=-1),
        )

    def result(self):
        # From the surest bin on.
        right = ops.flip(ops.convert_to_tensor(self.positives), axis=1)
        taken = right + ops.flip(ops.convert_to_tensor(self.negatives), axis=1)
        true = ops.sum(right, axis=1)
        precision = ops.cumsum(right, axis=1) / ops.maximum(
            ops.cumsum(taken, axis=1), 1e-12
        )
        average = ops.sum(precision * right, axis=1)
        heard = self.bins - round(self.bin_of(self.threshold))
        found = ops.sum(right[:, :heard], axis=1)
        claimed = ops.sum(taken[:, :heard], axis=1)
        table = {
            "average_precision": share_of(average, true),
            "f1": share_of(2 * found, ops.where(true > 0, true + claimed, 0.0)),
        }
        names = ["all", *(f"{edge:g}_db" for edge in self.edges)]
        return {
            f"{kind}_{name}": values[row]
            for row, name in enumerate(names)
            for kind, values in table.items()
        }

    def get_config(self):
        return {
            **super().get_config(),
            "edges": self.edges,
            "threshold": self.threshold,
            "score_range": self.score_range,
            "bins": self.bins,
        }


@keras.saving.register_keras_serializable(package="keras_avrep")
class OffScreenMass(keras.metrics.Metric):
    """How much of a distribution over classes goes to what is heard but not seen.

    The measure of `off_screen_mass`, batch after batch.

    Args:
        name: string. Defaults to `"off_screen_mass"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        float32 scalar: the mean over samples that have an unseen source; NaN as long
        as there is none.

    Example:
    ```python
    metric = OffScreenMass()
    metric.update_state([[0, 1, 0]], [[0.5, 0.25, 0.25]])
    float(metric.result())  # 0.25
    ```

    Reference: IEr (arXiv:2202.06406), note section 6.
    """

    def __init__(self, name="off_screen_mass", dtype="float32"):
        super().__init__(name=name, dtype=dtype)
        self.mass = self.add_variable((), "zeros", name="mass")
        self.samples = self.add_variable((), "zeros", name="samples")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count some samples.

        Args:
            y_true: bool or float tensor `(B, K)`, which classes are audible and not
                visible.
            y_pred: tensor `(B, K)`, distributions: rows sum to 1.
            sample_weight: tensor `(B,)`. Defaults to `None`, 1 each.
        """
        unseen = ops.cast(ops.cast(y_true, "bool"), "float32")
        weights = frame_weights(ops.max(unseen, axis=1), sample_weight)
        mass = ops.sum(ops.cast(y_pred, "float32") * unseen, axis=1)
        self.mass.assign(self.mass + ops.sum(mass * weights))
        self.samples.assign(self.samples + ops.sum(weights))

    def result(self):
        return share_of(self.mass, ops.convert_to_tensor(self.samples))
