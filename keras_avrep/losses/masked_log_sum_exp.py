from keras import ops


def masked_log_sum_exp(logits, mask=None, axis=-1, empty=0.0):
    """Log-sum-exp of the entries that count, with finite gradients.

    Args:
        logits: float tensor.
        mask: bool tensor of a shape that broadcasts to it, or `None` if all count.
        axis: int or tuple of ints. Defaults to `-1`.
        empty: float. The value where nothing counts. Defaults to `0`.

    Returns:
        Tensor without those axes.

    Example:
    ```python
    masked_log_sum_exp(keras.ops.zeros((2, 3)))  # ln 3, ln 3
    ```
    """
    logits = ops.convert_to_tensor(logits)
    if mask is not None:
        logits = ops.where(mask, logits, -float("inf"))
    largest = ops.max(logits, axis=axis, keepdims=True)
    # In an empty row the largest is -inf, and -inf - -inf has no value.
    empty_row = ops.equal(largest, -float("inf"))
    largest = ops.stop_gradient(ops.where(empty_row, 0.0, largest))
    total = ops.sum(ops.exp(logits - largest), axis=axis)
    # Not `total > 0`: what is no number must stay so, not look like a perfect match.
    some = ops.not_equal(total, 0.0)
    value = ops.log(ops.where(some, total, 1.0)) + ops.squeeze(largest, axis)
    return ops.where(some, value, empty)
