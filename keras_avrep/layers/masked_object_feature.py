import keras
from keras import ops

DIVISORS = ("map", "area")


@keras.saving.register_keras_serializable(package="keras_avrep")
class MaskedObjectFeature(keras.layers.Layer):
    """The feature of an object: that of the cells of its mask, added up.

    Args:
        divisor: string. `"map"` divides by all cells, so that the length tells the
            size of the object, as the released code has it; `"area"` divides by
            the cells of the mask. Defaults to `"map"`.

    Call arguments:
        features: tensor `(B, h, w, C)`.
        mask: tensor `(B, h, w, 1)` of zeros and ones.

    Returns:
        float32 tensor `(B, C)`; zeros where the mask is empty.

    Raises:
        ValueError: if `divisor` is not as described.

    Example:
    ```python
    features, mask = keras.random.normal((2, 6, 6, 8)), keras.ops.ones((2, 6, 6, 1))
    MaskedObjectFeature()(features, mask).shape  # (2, 8)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 3.3.
    """

    def __init__(self, divisor="map", **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if divisor not in DIVISORS:
            raise ValueError(f"`divisor` must be one of {DIVISORS}, got {divisor!r}.")
        self.divisor = divisor

    def call(self, features, mask):
        mask = ops.cast(mask, "float32")
        masked = ops.cast(features, "float32") * mask
        if self.divisor == "map":
            return ops.mean(masked, axis=(1, 2))
        return ops.sum(masked, axis=(1, 2)) / ops.maximum(
            ops.sum(mask, axis=(1, 2)), 1.0
        )

    def compute_output_shape(self, features_shape, mask_shape=None):
        return (features_shape[0], features_shape[-1])

    def get_config(self):
        return {**super().get_config(), "divisor": self.divisor}
