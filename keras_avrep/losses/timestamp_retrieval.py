from keras import ops

from keras_avrep.losses.soft_region_contrast import soft_region_contrast


def timestamp_retrieval(
    local, whole, forward, forward_share, backward, backward_share, temperature=0.07
):
    """Finds when local time slots are in the whole video, and the reverse.

    Only the slots of the same video are candidates; gradient flows to both.

    Args:
        local: unit-norm tensor `(batch, Q, dim)`, the slots of all local clips.
        whole: unit-norm tensor `(batch, K, dim)`, those of the global view.
        forward: tensor `(batch, Q, K)`. Share of each local slot that lies in
            each global one.
        forward_share: tensor `(batch, Q)`. How much each local slot counts.
        backward: tensor `(batch, K, Q)`. Share of each global slot that lies in
            each local one.
        backward_share: tensor `(batch, K)`.
        temperature: float. Defaults to `0.07`.

    Returns:
        float32 scalar, half the sum of both ways: `(ln K + ln Q) / 2` where all
        slots look alike.

    Example:
    ```python
    unit, one = keras.ops.eye(4)[None], keras.ops.ones((1, 4))
    timestamp_retrieval(unit, unit, unit, one, unit, one)  # nearly 0
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.4.
    """
    there = soft_region_contrast(
        local, whole, forward, forward_share, temperature, other_samples=False
    )
    back = soft_region_contrast(
        whole, local, backward, backward_share, temperature, other_samples=False
    )
    return ops.multiply(there + back, 0.5)
