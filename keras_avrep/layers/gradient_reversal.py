import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class GradientReversal(keras.layers.Layer):
    """Identity whose gradient is turned around: adversarial learning in one step.

    Computed in float32, as a difference of nearly equal numbers.

    Call arguments:
        inputs: float tensor.
        strength: float or scalar tensor. The gradient is multiplied by
            `-strength`. Defaults to `1.0`.

    Returns:
        float32 tensor with the input's values.

    Example:
    ```python
    GradientReversal()(keras.ops.ones((2, 3)), strength=0.5)  # ones; gradient -0.5
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section
    4.3; DANN, arXiv:1505.07818.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, inputs, strength=1.0):
        x = ops.cast(inputs, "float32")
        strength = ops.cast(strength, "float32")
        return ops.stop_gradient((1.0 + strength) * x) - strength * x

    def compute_output_shape(self, inputs_shape, strength_shape=None):
        return inputs_shape


def reversal_strength(batches, ramp):
    """Strength of gradient reversal that grows from 0 to 1, as DANN has it.

    Args:
        batches: int or scalar tensor. Batches seen so far.
        ramp: int. Batches until full strength; 0 for full strength at once.

    Returns:
        float32 scalar in [0, 1].

    Example:
    ```python
    reversal_strength(50, 100)  # 0.987
    ```
    """
    if not ramp:
        return ops.ones((), "float32")
    progress = ops.minimum(ops.cast(batches, "float32") / ramp, 1.0)
    return 2.0 * ops.sigmoid(10.0 * progress) - 1.0
