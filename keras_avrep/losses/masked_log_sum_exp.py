from keras import ops


def masked_log_sum_exp(logits, mask=None):
    """Log-sum-exp over the last axis of the entries that count.

    Values and gradients are finite, also in rows where nothing counts.

    Args:
        logits: float tensor `(..., K)`.
        mask: bool tensor of the same shape, or `None` if all count.

    Returns:
        Tensor `(...)`; 0 where nothing counts.

    Example:
    ```python
    masked_log_sum_exp(keras.ops.zeros((2, 3)))  # ln 3, ln 3
    ```
    """
    if mask is not None:
        logits = ops.where(mask, logits, -float("inf"))
    largest = ops.max(logits, axis=-1, keepdims=True)
    # In an empty row the largest is -inf, and -inf - -inf has no value.
    largest = ops.stop_gradient(ops.where(largest > -float("inf"), largest, 0.0))
    total = ops.sum(ops.exp(logits - largest), axis=-1)
    return ops.log(ops.where(total > 0, total, 1.0)) + largest[..., 0]
