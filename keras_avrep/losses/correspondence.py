from keras import ops


def correspondence(matched, mismatched, epsilon=1e-7, counted=None):
    """Binary cross-entropy of scores of matched and of mismatched pairs.

    Both kinds weigh the same, however many scores a mismatched pair has.

    Args:
        matched: tensor `(B, n)` in [0, 1], scores of a picture with its own sound.
        mismatched: tensor `(B, m)` in [0, 1], scores of a picture with a sound of
            another video; of a composite m may be 4, all of which must be low.
        epsilon: float. Scores are kept this far from 0 and 1. Defaults to 1e-7.
        counted: tensor `(B, m)` of 0 and 1, which mismatched scores count: not those of
            two videos that are thought to show the same. Defaults to `None`, all.

    Returns:
        float32 scalar.

    Example:
    ```python
    half = keras.ops.full((2, 1), 0.5)
    correspondence(half, half)  # 0.693
    ```

    Reference: CSOL (arXiv:2112.11749), note section 4.
    """
    matched, mismatched = (
        ops.clip(ops.cast(x, "float32"), epsilon, 1 - epsilon)
        for x in (matched, mismatched)
    )
    missed = -ops.mean(ops.log(matched))
    mistaken = -ops.log(1 - mismatched)
    if counted is None:
        return (missed + ops.mean(mistaken)) / 2
    counted = ops.cast(counted, "float32")
    mistaken = ops.sum(counted * mistaken) / ops.maximum(ops.sum(counted), 1.0)
    return (missed + mistaken) / 2
