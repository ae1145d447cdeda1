import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class NeighbourMiner(keras.layers.Layer):
    """Marks the most similar valid queue slots as further positives.

    Args:
        top_k: int. Slots marked in each row. Defaults to `5`.

    Call arguments:
        similarity: tensor `(batch, K)`.
        valid: bool tensor `(K,)`. Slots that hold a key.

    Returns:
        Bool tensor `(batch, K)`, at most `top_k` true in each row, none of
        them in an invalid slot.

    Example:
    ```python
    miner = NeighbourMiner(top_k=1)
    miner(keras.ops.array([[0.1, 0.9]]), keras.ops.array([True, True]))
    # [[False, True]]
    ```

    Reference: DCLR (arXiv:2207.05340), note section 4.3.
    """

    def __init__(self, top_k=5, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.top_k = top_k

    def call(self, similarity, valid):
        similarity = ops.cast(similarity, "float32")
        similarity = ops.where(valid[None, :], similarity, -float("inf"))
        # A queue may be shorter than that when there are few videos.
        top_k = min(self.top_k, similarity.shape[-1])
        _, index = ops.top_k(similarity, top_k)
        marked = ops.max(ops.one_hot(index, similarity.shape[-1]), axis=1)
        return ops.logical_and(marked > 0, valid[None, :])

    def compute_output_shape(self, similarity_shape, valid_shape=None):
        return similarity_shape

    def get_config(self):
        return {**super().get_config(), "top_k": self.top_k}
