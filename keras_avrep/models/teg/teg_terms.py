"""The two terms that TeG mixes, and how the fine one is brought in."""

from keras import ops

from keras_avrep.models.loss_weights import check_loss_weights

TERMS = ("fine", "persistent")


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; 1 and 1 for `None`."""
    return check_loss_weights(loss_weights, TERMS, dict.fromkeys(TERMS, 1.0))


def linear_ramp(batches_seen, after, length):
    """From 0 up to `after` batches, rising to 1 over `length` more.

    Args:
        batches_seen: int tensor.
        after: int.
        length: int. 0 switches on at once.

    Returns:
        float32 scalar in [0, 1].

    Example:
    ```python
    linear_ramp(15, after=10, length=10)  # 0.5
    ```
    """
    seen = ops.cast(batches_seen, "float32") - after
    if length == 0:
        return ops.cast(seen >= 0, "float32")
    return ops.clip(seen / length, 0.0, 1.0)
