from keras import ops


def activation_alignment(rgb, static, dynamic):
    """Squared distance of the RGB map to the mean of static and dynamic maps.

    Gradient flows into the RGB map only.

    Args:
        rgb: mean-one map `(batch, t, h, w, 1)`.
        static: mean-one map of the same shape, or `None` where the static
            view is not aligned with the RGB clip.
        dynamic: mean-one map of the same shape.

    Returns:
        Scalar.

    Example:
    ```python
    ones = keras.ops.ones((1, 2, 7, 7, 1))
    activation_alignment(ones, ones, ones)  # 0.0
    ```

    Reference: DCLR (arXiv:2207.05340), note section 4.5 (a reconstruction).
    """
    target = dynamic if static is None else (static + dynamic) / 2
    difference = ops.cast(rgb, "float32") - ops.stop_gradient(
        ops.cast(target, "float32")
    )
    return ops.mean(ops.square(difference))
