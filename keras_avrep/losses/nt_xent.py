from keras import ops

from keras_avrep.layers import unit_length


def nt_xent(first, second, temperature=0.1):
    """Contrast of two views within a batch, both ways, as CVRL has it.

    Each embedding's positive is the other view of its sample; its negatives are
    both views of all other samples, `2 B - 1` terms in all. Gradient flows to
    both sides. The result is the sum, not the mean, of the two directions.

    Args:
        first: tensor `(batch, dim)`, normalised here.
        second: tensor `(batch, dim)`, the same samples.
        temperature: float. Defaults to `0.1`.

    Returns:
        float32 scalar.

    Example:
    ```python
    nt_xent(keras.random.normal((4, 8)), keras.random.normal((4, 8)))
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    first, second = unit_length(first), unit_length(second)
    cross = ops.matmul(first, ops.transpose(second)) / temperature
    # `fit` on TensorFlow does not tell the size of a batch beforehand.
    numbers = ops.arange(ops.shape(cross)[0])
    self_mask = numbers[:, None] == numbers[None]
    total = 0.0
    for own, logits in ((first, cross), (second, ops.transpose(cross))):
        within = ops.matmul(own, ops.transpose(own)) / temperature
        within = ops.where(self_mask, -float("inf"), within)
        everything = ops.concatenate([logits, within], axis=-1)
        positives = ops.diagonal(logits)
        total += ops.mean(ops.logsumexp(everything, axis=-1) - positives)
    return total


def cross_view_accuracy(first, second):
    """Share of samples whose other view is the most similar one of the batch.

    Args:
        first: tensor `(batch, dim)`.
        second: tensor `(batch, dim)`, the same samples.

    Returns:
        float32 scalar in [0, 1].

    Example:
    ```python
    cross_view_accuracy(keras.ops.eye(3), keras.ops.eye(3))  # 1.0
    ```
    """
    first, second = unit_length(first), unit_length(second)
    found = ops.argmax(ops.matmul(first, ops.transpose(second)), axis=-1)
    return ops.mean(
        ops.cast(found == ops.arange(ops.shape(found)[0], dtype=found.dtype), "float32")
    )
