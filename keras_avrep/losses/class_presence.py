from keras import ops


def class_presence(class_maps, target):
    """Whether the classes that are heard are seen somewhere, each class on its own.

    Args:
        class_maps: tensor `(B, h, w, K)` of logits.
        target: tensor `(B, K)` in [0, 1], what is heard. It has no gradient.

    Returns:
        float32 scalar: the binary cross-entropy of the mean over a map of its sigmoid
        and the target, the mean of batch and classes.

    Example:
    ```python
    class_presence(keras.ops.zeros((1, 6, 6, 2)), keras.ops.ones((1, 2)))  # log 2
    ```

    Reference: CSOL (arXiv:2112.11749), note section 4, as for AudioSet.
    """
    target = ops.stop_gradient(ops.cast(target, "float32"))
    shown = ops.mean(ops.sigmoid(ops.cast(class_maps, "float32")), axis=(1, 2))
    shown = ops.clip(shown, 1e-7, 1 - 1e-7)
    return -ops.mean(target * ops.log(shown) + (1 - target) * ops.log(1 - shown))
