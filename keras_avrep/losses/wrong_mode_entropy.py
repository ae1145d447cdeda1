from keras import ops


def wrong_mode_entropy(logits, temperature=0.1):
    """Negative entropy over the concepts that an input should not tell apart.

    Minimised, it makes static concepts alike for frame differences and dynamic
    ones for a frozen frame.

    Args:
        logits: tensor `(..., concepts)` of cosines.
        temperature: float. Defaults to `0.1`.

    Returns:
        float32 scalar from minus the logarithm of the number of concepts to 0.

    Example:
    ```python
    wrong_mode_entropy(keras.ops.zeros((2, 4)))  # -log(4)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 4.3.
    """
    log_shares = ops.log_softmax(ops.cast(logits, "float32") / temperature, axis=-1)
    return ops.mean(ops.sum(ops.exp(log_shares) * log_shares, axis=-1))
