from keras import ops


def response_loss(shift, response, stride=8, radius=16.0, focusing=2.0):
    """Logistic loss of a tracker's response: positive near the target, else negative.

    Positive and negative cells get the same total weight. As in focal loss, each cell
    is then weighted by `(1 - p) ** focusing`, p being the probability that it gives to
    its own label.

    Args:
        shift: tensor `(batch, 2)`. Where the target's centre lies from the centre
            of the search image, `y, x` in pixels of it.
        response: tensor `(batch, h, w)`, logits.
        stride: int. Pixels from cell to cell. Defaults to `8`.
        radius: float. Pixels around the target that are positive. Defaults to `16`.
        focusing: float. Defaults to `2`; 0 is the plain logistic loss.

    Returns:
        float32 scalar.

    Example:
    ```python
    response_loss(keras.ops.zeros((1, 2)), keras.ops.zeros((1, 17, 17)))  # log 2
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    response, shift = ops.cast(response, "float32"), ops.cast(shift, "float32")
    positive = near_target(shift, response.shape[1:], stride, radius)
    signed = ops.where(positive, response, -response)
    losses = ops.softplus(-signed)
    lacking = ops.stop_gradient(ops.power(ops.sigmoid(-signed), focusing))
    weights = [
        lacking * ops.cast(chosen, "float32") / _count(chosen)
        for chosen in (positive, ops.logical_not(positive))
    ]
    weights = weights[0] + weights[1]
    return ops.sum(losses * weights) / (ops.sum(weights) + 1e-12)


def near_target(shift, sizes, stride=8, radius=16.0):
    """Which cells of a tracker's response lie near the target.

    Args:
        shift: tensor `(batch, 2)`, as of `response_loss`.
        sizes: pair of ints, the response's height and width in cells.
        stride: int. Pixels from cell to cell. Defaults to `8`.
        radius: float. Pixels. Defaults to `16`.

    Returns:
        Bool tensor `(batch, h, w)`.

    Example:
    ```python
    near_target(keras.ops.zeros((1, 2)), (17, 17)).shape  # (1, 17, 17)
    ```
    """
    y, x = (
        (ops.arange(size, dtype="float32") - (size - 1) / 2) * stride for size in sizes
    )
    squares = (
        ops.square(y[None, :, None] - shift[:, 0, None, None])
        + ops.square(x[None, None] - shift[:, 1, None, None])
    )  # fmt: skip
    return squares <= radius**2


def _count(chosen):
    return ops.maximum(ops.sum(ops.cast(chosen, "float32")), 1.0)
