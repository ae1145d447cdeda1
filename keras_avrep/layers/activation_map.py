import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ActivationMap(keras.layers.Layer):
    """Channel sum of a feature map, scaled to a mean of one over space-time.

    Args:
        epsilon: float. Added to the mean, for maps without any activation.
            Defaults to `1e-6`.

    Call arguments:
        inputs: feature map `(batch, t, h, w, channels)`, non-negative.

    Returns:
        float32 tensor of shape `(batch, t, h, w, 1)`.

    Example:
    ```python
    ActivationMap()(keras.ops.ones((1, 2, 7, 7, 512))).shape  # (1, 2, 7, 7, 1)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 3.3.
    """

    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.epsilon = epsilon

    def call(self, inputs):
        activation = ops.sum(ops.cast(inputs, "float32"), axis=-1, keepdims=True)
        mean = ops.mean(activation, axis=(1, 2, 3), keepdims=True)
        return activation / (mean + self.epsilon)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 1)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_avrep")
class ActivationDecoupler(keras.layers.Layer):
    """Pools a feature map with the weights of an activation map.

    No gradient flows through the activation map.

    Call arguments:
        features: feature map `(batch, t, h, w, channels)`.
        activation: mean-one map `(batch, t, h, w, 1)` of the same clips, or
            `None` for a plain average.

    Returns:
        float32 tensor of shape `(batch, channels)`.

    Example:
    ```python
    features = keras.random.uniform((2, 2, 7, 7, 512))
    ActivationDecoupler()(features, ActivationMap()(features)).shape  # (2, 512)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 3.4.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, features, activation=None):
        features = ops.cast(features, "float32")
        if activation is not None:
            features = features * ops.stop_gradient(activation)
        return ops.mean(features, axis=(1, 2, 3))

    def compute_output_shape(self, features_shape, activation_shape=None):
        return (features_shape[0], features_shape[-1])
