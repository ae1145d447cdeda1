from keras import ops


def truncated_smoothing(logits, mask=None, limit=16.0):
    """Squared change of log-probabilities from one frame to the next, capped.

    Gradient flows through the later frame only.

    Args:
        logits: tensor `(batch, N, classes)`.
        mask: float or bool tensor `(batch, N)`, frames that count, or `None` for
            all. A pair counts if both frames do.
        limit: float. Largest square. Defaults to `16`.

    Returns:
        float32 scalar, the mean over pairs and classes; 0 without a pair.

    Example:
    ```python
    truncated_smoothing(keras.ops.zeros((1, 10, 4)))  # 0.0
    ```

    Reference: MS-TCN; note of TeG (arXiv:2112.04480), section 6.
    """
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    earlier = ops.stop_gradient(log_probabilities[:, :-1])
    squares = ops.square(log_probabilities[:, 1:] - earlier)
    change = ops.mean(ops.minimum(squares, limit), axis=-1)
    if mask is None:
        mask = ops.ones_like(logits[..., 0])
    mask = ops.cast(mask, "float32")
    pairs = mask[:, 1:] * mask[:, :-1]
    return ops.sum(change * pairs) / ops.maximum(ops.sum(pairs), 1.0)
