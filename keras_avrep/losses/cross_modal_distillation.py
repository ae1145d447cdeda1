import math

from keras import ops

DIRECTIONS = ("both", "first", "second")


def cross_modal_distillation(
    log_first, log_second, direction="both", detach=None, epsilon=1e-8
):
    """Divergence of two live distributions: each modality teaches the other.

    KL(first ‖ second) + KL(second ‖ first), in float32. Logarithms are clipped from
    below, so that shares of nothing have a finite cost.

    Args:
        log_first: tensor `(B, K)`. Logarithm of a distribution, as of
            `keras.ops.log_softmax`.
        log_second: the same of the other modality.
        direction: string. `"both"`; `"first"` for KL(first ‖ second) only; `"second"`
            for KL(second ‖ first) only. Defaults to `"both"`.
        detach: `None` or `"teacher"`. With `"teacher"` the first argument of each
            divergence has no gradient: it teaches, the other one learns. Defaults to
            `None`, both learn.
        epsilon: float. Least share in a logarithm. Defaults to 1e-8.

    Returns:
        float32 scalar, the mean of the batch.

    Raises:
        ValueError: if `direction` or `detach` is unknown.

    Example:
    ```python
    p = keras.ops.log_softmax(keras.random.normal((4, 11)))
    cross_modal_distillation(p, p)  # 0
    ```

    Reference: IEr (arXiv:2202.06406), note section 4. Mind that two uniform
    distributions have a divergence of zero as well.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"`direction` must be one of {DIRECTIONS}, got {direction!r}.")
    if detach not in (None, "teacher"):
        raise ValueError(f"`detach` must be None or 'teacher', got {detach!r}.")
    log_first = ops.cast(log_first, "float32")
    log_second = ops.cast(log_second, "float32")
    pairs = {
        "first": [(log_first, log_second)],
        "second": [(log_second, log_first)],
        "both": [(log_first, log_second), (log_second, log_first)],
    }[direction]
    return sum(_divergence(p, q, detach, math.log(epsilon)) for p, q in pairs)


def _divergence(log_p, log_q, detach, lowest):
    if detach == "teacher":
        log_p = ops.stop_gradient(log_p)
    difference = ops.maximum(log_p, lowest) - ops.maximum(log_q, lowest)
    return ops.mean(ops.sum(ops.exp(log_p) * difference, axis=-1))
