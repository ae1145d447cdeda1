import keras
from keras import ops

ORDERS = ("figure", "notes")
AMOUNTS = ("area", "any")
# Below the largest logarithm: a share of e^-60 is none.
NOTHING = 60.0


@keras.saving.register_keras_serializable(package="keras_avrep")
class OffScreenFilter(keras.layers.Layer):
    """Erases classes that are heard and not seen from what is heard.

    A class is seen where its visual map exceeds a threshold; no gradient flows
    through that. A sample in which nothing is seen keeps what is heard.

    Args:
        order: string. `"figure"`: softmax of the scores, times what is seen,
            normalised: unseen classes vanish. `"notes"`: scores times what is seen,
            normalised, softmax: unseen classes keep a weight of e⁰. The sources
            differ. Defaults to `"notes"`, which measured better on the world
            `orchestra`.
        amount: string. What is seen of a class: the share of the picture, `"area"`,
            or 1 if anything is, `"any"`. Defaults to `"area"`.
        threshold: float. Least of the threshold on maps. Defaults to 0.2.
        relative_threshold: float. Share of the maximum of a map that is its
            threshold if that is more. Defaults to 0.5.
        logit_scale: float. Multiplies scores before the softmax. Defaults to 10.
        enabled: bool. Whether the picture counts at all; without, the result is the
            softmax of the scores. Defaults to `True`.

    Call arguments:
        scores: tensor `(B, K)`. How surely each class is heard: cosines.
        visual_maps: tensor `(B, h, w, K)`. Where each class is seen.

    Returns:
        Dict of float32 `log_distribution` `(B, K)`, of what is heard guided by the
        picture, -60 or less where nothing is left; `distribution`, the same without
        the logarithm; `log_unfiltered`, of what is heard alone; and `seen` `(B, K)`,
        how much of each class is seen.

    Raises:
        ValueError: if `order` or `amount` is unknown.

    Example:
    ```python
    scores, maps = keras.random.uniform((2, 3)), keras.random.uniform((2, 6, 6, 3))
    OffScreenFilter()(scores, maps)["distribution"].shape  # (2, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.5; the normalisation by the sum
    of magnitudes in the order of the notes is a choice.
    """

    def __init__(
        self,
        order="notes",
        amount="area",
        threshold=0.2,
        relative_threshold=0.5,
        logit_scale=10.0,
        enabled=True,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if order not in ORDERS:
            raise ValueError(f"`order` must be one of {ORDERS}, got {order!r}.")
        if amount not in AMOUNTS:
            raise ValueError(f"`amount` must be one of {AMOUNTS}, got {amount!r}.")
        self.order = order
        self.amount = amount
        self.threshold = threshold
        self.relative_threshold = relative_threshold
        self.logit_scale = logit_scale
        self.enabled = enabled
        self.built = True

    def seen(self, visual_maps):
        """How much of each class is seen, `(B, K)` in [0, 1], without gradient."""
        maps = ops.stop_gradient(ops.cast(visual_maps, "float32"))
        peaks = ops.max(maps, axis=(1, 2), keepdims=True)
        limits = ops.maximum(self.threshold, self.relative_threshold * peaks)
        mask = ops.cast(maps > limits, "float32")
        pool = ops.mean if self.amount == "area" else ops.max
        return pool(mask, axis=(1, 2))

    def call(self, scores, visual_maps):
        scores, seen = ops.cast(scores, "float32"), self.seen(visual_maps)
        heard = ops.log_softmax(self.logit_scale * scores, axis=-1)
        filtered = heard
        if self.enabled:
            filter = self._masked if self.order == "figure" else self._weighted
            something = ops.any(seen > 0, axis=-1, keepdims=True)
            filtered = ops.where(something, filter(scores, heard, seen), heard)
        return {
            "log_distribution": filtered,
            "distribution": ops.exp(filtered),
            "log_unfiltered": heard,
            "seen": seen,
        }

    def _masked(self, scores, heard, seen):
        kept = heard + ops.log(ops.where(seen > 0, seen, 1.0))
        largest = ops.max(
            ops.where(seen > 0, kept, ops.min(kept, axis=-1, keepdims=True)),
            axis=-1,
            keepdims=True,
        )
        lowest = ops.stop_gradient(largest) - NOTHING
        return ops.log_softmax(ops.where(seen > 0, kept, lowest), axis=-1)

    def _weighted(self, scores, heard, seen):
        weighted = scores * seen
        total = ops.sum(ops.abs(weighted), axis=-1, keepdims=True)
        normalised = weighted / ops.maximum(total, 1e-8)
        return ops.log_softmax(self.logit_scale * normalised, axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "order": self.order,
            "amount": self.amount,
            "threshold": self.threshold,
            "relative_threshold": self.relative_threshold,
            "logit_scale": self.logit_scale,
            "enabled": self.enabled,
        }
