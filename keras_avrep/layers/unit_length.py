from keras import ops


def unit_length(x, epsilon=1e-12):
    """Scale the last axis to unit length, in float32; zeros stay zeros.

    Its gradient is a number on every backend also where a row is zero, which that
    of `keras.ops.normalize` with a small epsilon is not.

    Args:
        x: tensor `(..., dim)`.
        epsilon: float. Least sum of squares, which keeps gradients finite where a
            row is zero. Defaults to `1e-12`.

    Returns:
        float32 tensor of the same shape.

    Example:
    ```python
    unit_length(keras.ops.array([[3.0, 4.0]]))  # [[0.6, 0.8]]
    ```
    """
    x = ops.cast(x, "float32")
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, epsilon))
