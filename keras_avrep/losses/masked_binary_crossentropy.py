from keras import ops


def masked_binary_crossentropy(labels, logits):
    """Binary cross-entropy of boxes, summed over classes, the mean of real boxes.

    Args:
        labels: tensor `(batch, boxes, classes)` of 0 and 1; a box whose labels are
            negative is padding and does not count.
        logits: tensor of the same shape.

    Returns:
        float32 scalar; 0 without any box.

    Example:
    ```python
    labels = keras.ops.array([[[0.0, 1.0], [-1.0, -1.0]]])
    masked_binary_crossentropy(labels, keras.ops.zeros((1, 2, 2)))  # 2 log 2
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    labels, logits = ops.cast(labels, "float32"), ops.cast(logits, "float32")
    real = ops.all(labels >= 0, axis=-1)
    # log(1 + exp(x)) - y x, whatever the sign of x.
    losses = ops.sum(ops.softplus(logits) - labels * logits, axis=-1)
    total = ops.sum(ops.where(real, losses, 0.0))
    return total / (ops.sum(ops.cast(real, "float32")) + 1e-6)
