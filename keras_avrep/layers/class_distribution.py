import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ClassDistribution(keras.layers.Layer):
    """Which classes a set of class maps holds, as a distribution.

    Args:
        temperature: float. Divides the averages of the maps. Defaults to 1.

    Call arguments:
        maps: tensor `(B, h, w, K)`.

    Returns:
        float32 tensor `(B, K)`: the logarithm of the softmax of the maps' averages.

    Raises:
        ValueError: if `temperature` is not above 0.

    Example:
    ```python
    ClassDistribution()(keras.random.normal((2, 6, 6, 11))).shape  # (2, 11)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 3.4.
    """

    def __init__(self, temperature=1.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if temperature <= 0:
            raise ValueError(f"`temperature` is {temperature}; give one above 0.")
        self.temperature = temperature
        self.built = True

    def call(self, maps):
        pooled = ops.mean(ops.cast(maps, "float32"), axis=(1, 2))
        return ops.log_softmax(pooled / self.temperature, axis=-1)

    def compute_output_shape(self, maps_shape):
        return (maps_shape[0], maps_shape[-1])

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
