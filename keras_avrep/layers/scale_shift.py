import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ScaleShift(keras.layers.Layer):
    """One learned factor and one learned summand for a whole tensor.

    They start at 1 and 0, so that maps are not turned over at random.

    Call arguments:
        inputs: tensor of any shape.

    Returns:
        float32 tensor of the same shape.

    Example:
    ```python
    ScaleShift()(keras.ops.ones((2, 3)))  # ones
    ```

    Reference: CSOL (arXiv:2112.11749), note sections 3.4 and 8.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        self.shift = self.add_weight(name="shift", shape=(), initializer="zeros")
        self.built = True

    def call(self, inputs):
        return ops.cast(inputs, "float32") * self.scale + self.shift

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
