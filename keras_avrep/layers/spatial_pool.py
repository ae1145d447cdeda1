import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class SpatialPool(keras.layers.Layer):
    """Mean over height and width of a feature map; time stays.

    Call arguments:
        inputs: feature map `(batch, t, h, w, channels)`.

    Returns:
        float32 tensor `(batch, t, channels)`.

    Example:
    ```python
    SpatialPool()(keras.ops.ones((1, 8, 7, 7, 512))).shape  # (1, 8, 512)
    ```

    Reference: note of TeG (arXiv:2112.04480), section 3.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, inputs):
        return ops.mean(ops.cast(inputs, "float32"), axis=(2, 3))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], input_shape[-1])
