from keras import ops


def in_batch_nce(query, key, temperature=0.07):
    """InfoNCE within a batch: the key of the same sample is the positive.

    No gradient flows to the keys.

    Args:
        query: unit-norm tensor `(batch, dim)`.
        key: unit-norm tensor `(batch, dim)`.
        temperature: float. Defaults to `0.07`.

    Returns:
        float32 scalar, the mean over the batch.

    Example:
    ```python
    unit = keras.ops.eye(4)
    in_batch_nce(unit, unit)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.1.
    """
    query = ops.cast(query, "float32")
    key = ops.stop_gradient(ops.cast(key, "float32"))
    logits = ops.matmul(query, ops.transpose(key)) / temperature
    return ops.mean(ops.logsumexp(logits, axis=-1) - ops.diagonal(logits))
