import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptFilter(keras.layers.Layer):
    """Marks the concepts that a sample activates most.

    Args:
        top: int or `None`. A concept stays if it is stronger than the `top`-th
            strongest: `top - 1` stay, fewer with ties, as released. `None` keeps
            all. Defaults to `10`.

    Call arguments:
        logits: tensor `(..., concepts)`.

    Returns:
        float32 tensor of the same shape, 1 for concepts that stay and else 0; no
        gradient flows.

    Raises:
        ValueError: if `top` is below 2: nothing would stay.

    Example:
    ```python
    ConceptFilter(top=3)(keras.ops.array([[0.1, 0.9, 0.5, 0.4]]))  # [[0, 1, 1, 0]]
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 4.5.
    """

    def __init__(self, top=10, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if top is not None and top < 2:
            raise ValueError(
                f"`top` is {top}: one less stays, so give at least 2, or None for all."
            )
        self.top = top

    def call(self, logits):
        logits = ops.stop_gradient(ops.cast(logits, "float32"))
        # With no more concepts than that, all stay.
        if self.top is None or self.top > logits.shape[-1]:
            return ops.ones_like(logits)
        strongest, _ = ops.top_k(logits, self.top)
        return ops.cast(logits > strongest[..., -1:], "float32")

    def compute_output_shape(self, logits_shape):
        return logits_shape

    def get_config(self):
        return {**super().get_config(), "top": self.top}
