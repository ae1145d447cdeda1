from keras import ops

DIRECTIONS = ("target", "prediction")


def distribution_divergence(
    target, log_prediction, direction="target", divide_by_classes=False
):
    """Divergence of a predicted distribution over classes from a fixed one.

    Args:
        target: tensor `(B, K)`, rows of sum 1. It has no gradient.
        log_prediction: tensor `(B, K)`, logarithm of a distribution, as of
            `keras.ops.log_softmax`.
        direction: string. `"target"` is KL(target ‖ prediction), as in the released
            code; `"prediction"` is KL(prediction ‖ target), as in the paper's text.
            Defaults to `"target"`.
        divide_by_classes: bool. Whether the mean is over classes as well, as in the
            released code. Defaults to `False`.

    Returns:
        float32 scalar, the mean of the batch.

    Raises:
        ValueError: if `direction` is unknown.

    Example:
    ```python
    log_prediction = keras.ops.log_softmax(keras.random.normal((4, 11)))
    distribution_divergence(keras.ops.exp(log_prediction), log_prediction)  # 0
    ```

    Reference: CSOL (arXiv:2112.11749), note section 4.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"`direction` must be one of {DIRECTIONS}, got {direction!r}.")
    target = ops.stop_gradient(ops.cast(target, "float32"))
    log_prediction = ops.cast(log_prediction, "float32")
    # A share of nothing costs nothing, and its logarithm must not be taken.
    difference = ops.log(ops.maximum(target, 1e-12)) - log_prediction
    weights = target
    if direction == "prediction":
        weights, difference = ops.exp(log_prediction), -difference
    each = ops.sum(weights * difference, axis=-1)
    return ops.mean(each) / (target.shape[-1] if divide_by_classes else 1)
