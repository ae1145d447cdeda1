from keras import ops


def l2_normalise(x, epsilon=1e-12):
    """Scale the last axis to unit length, in float32, with a finite gradient.

    `x / sqrt(max(sum of squares, epsilon))`: a row of zeros stays zero, and its
    gradient is a number on every backend, which that of `keras.ops.normalize` with
    a small epsilon is not.

    Args:
        x: tensor `(..., dim)`.
        epsilon: float. Least sum of squares. Defaults to `1e-12`.

    Returns:
        float32 tensor of the same shape.

    Example:
    ```python
    l2_normalise(keras.ops.array([[3.0, 4.0]]))  # [[0.6, 0.8]]
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    x = ops.cast(x, "float32")
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, epsilon))
