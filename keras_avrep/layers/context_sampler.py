import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ContextSampler(keras.layers.Layer):
    """Steps of a feature map around its middle one.

    They lie `steps // length` apart. The middle of an even number of steps is the
    later one, so that the window is off the centre by half a step.

    Args:
        length: int, odd. Steps taken. Defaults to `5`.

    Call arguments:
        inputs: tensor `(batch, steps, ...)`.

    Returns:
        Tensor `(batch, length, ...)`.

    Raises:
        ValueError: if `length` is even, or there are fewer steps.

    Example:
    ```python
    ContextSampler(5)(keras.random.normal((1, 8, 7, 7, 32))).shape  # (1, 5, 7, 7, 32)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 3.
    """

    def __init__(self, length=5, **kwargs):
        super().__init__(**kwargs)
        if length % 2 == 0:
            raise ValueError(f"`length` is {length}; it must be odd.")
        self.length = length

    def call(self, inputs):
        return ops.take(inputs, self.places(inputs.shape[1]), axis=1)

    def places(self, steps):
        """Which of so many steps are taken, a list of ints."""
        if steps < self.length:
            raise ValueError(
                f"`length` is {self.length}, but the map has only {steps} steps; "
                "choose a shorter context or longer clips."
            )
        stride = steps // self.length
        first = steps // 2 - self.length // 2 * stride
        return [first + i * stride for i in range(self.length)]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.length, *input_shape[2:])

    def get_config(self):
        return {**super().get_config(), "length": self.length}
