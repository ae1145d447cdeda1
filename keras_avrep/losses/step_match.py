"""Which steps of one clip correspond to those of another, by their times."""

from keras import ops


def nearest_step_match(query_times, key_times):
    """The key step nearest in time to each query step, as one-hot weights.

    Args:
        query_times: tensor `(batch, Tq)`, in raw frames.
        key_times: tensor `(batch, Tk)`, in raw frames.

    Returns:
        float32 tensor `(batch, Tq, Tk)`, one 1 in each row; of two steps equally
        near the earlier one.

    Example:
    ```python
    nearest_step_match(keras.ops.array([[2.0]]), keras.ops.array([[0.0, 4.0]]))
    # [[[1, 0]]]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 4.
    """
    nearest = ops.argmin(time_distances(query_times, key_times), axis=-1)
    return ops.one_hot(nearest, key_times.shape[-1], dtype="float32")


def interpolated_step_match(query_times, key_times):
    """Weights of the two key steps around each query step, nearer ones higher.

    Args:
        query_times: tensor `(batch, Tq)`, in raw frames.
        key_times: tensor `(batch, Tk)`, in raw frames, equally spaced.

    Returns:
        float32 tensor `(batch, Tq, Tk)`, rows that sum to 1. A step farther than
        one spacing from every key step gets the nearest one.

    Example:
    ```python
    interpolated_step_match(keras.ops.array([[1.0]]), keras.ops.array([[0.0, 4.0]]))
    # [[[0.75, 0.25]]]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 4.1.
    """
    # A lone key step has no spacing and falls back to the nearest.
    spacing = ops.maximum(step_spacing(key_times), 1e-6)[:, None, None]
    distance = time_distances(query_times, key_times)
    weights = ops.maximum(1.0 - distance / spacing, 0.0)
    total = ops.sum(weights, axis=-1, keepdims=True)
    found = total > 0
    return ops.where(
        found,
        weights / ops.where(found, total, 1.0),
        nearest_step_match(query_times, key_times),
    )


def steps_within(times, others):
    """Which steps lie within the span of another clip, half a step beyond it.

    Args:
        times: tensor `(batch, T)`, in raw frames.
        others: tensor `(batch, S)`, in raw frames, in order.

    Returns:
        Bool tensor `(batch, T)`.

    Example:
    ```python
    times, others = keras.ops.array([[0.0, 9.0]]), keras.ops.array([[0.0, 4.0]])
    steps_within(times, others)  # [[True, False]]
    ```

    Reference: note of TeG (arXiv:2112.04480), section 4.1.
    """
    times, others = (ops.cast(x, "float32") for x in (times, others))
    margin = step_spacing(others)[:, None] / 2
    first = ops.min(others, axis=-1, keepdims=True) - margin
    last = ops.max(others, axis=-1, keepdims=True) + margin
    return ops.logical_and(times >= first, times <= last)


def time_distances(query_times, key_times):
    """Absolute differences `(batch, Tq, Tk)` of two sets of times, float32."""
    query_times, key_times = (ops.cast(x, "float32") for x in (query_times, key_times))
    return ops.abs(query_times[:, :, None] - key_times[:, None, :])


def step_spacing(times):
    """Frames `(batch,)` from one step to the next; 0 for a lone step."""
    times = ops.cast(times, "float32")
    count = times.shape[-1]
    span = ops.max(times, axis=-1) - ops.min(times, axis=-1)
    return span / max(count - 1, 1)
