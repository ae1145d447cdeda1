from keras import ops

from keras_avrep.layers import unit_length


def concept_fidelity(rebuilt, target):
    """Negative cosine of features and what was rebuilt of them from concepts.

    No gradient flows to the target: it would become constant.

    Args:
        rebuilt: tensor `(..., channels)`.
        target: tensor `(..., channels)`.

    Returns:
        float32 scalar in [-1, 1], -1 where concepts hold all of the direction.

    Example:
    ```python
    concept_fidelity(keras.ops.ones((2, 4)), keras.ops.ones((2, 4)))  # -1.0
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 4.4.
    """
    target = ops.stop_gradient(ops.convert_to_tensor(target))
    rebuilt, target = unit_length(rebuilt), unit_length(target)
    return -ops.mean(ops.sum(rebuilt * target, axis=-1))
