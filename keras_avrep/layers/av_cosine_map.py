import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class AVCosineMap(keras.layers.Layer):
    """Where a picture fits a sound: one learned scale of cosines, as a probability.

    Args:
        scale: float. First value of the scale. Defaults to 5.
        trainable_scale: bool. Whether the scale is learned. Defaults to `True`.
        normalise: bool. `False` takes inner products in place of cosines, as the
            AudioSet variant does. Defaults to `True`.
        use_bias: bool. Whether a learned number is added before the sigmoid.
            Defaults to `False`.

    Call arguments:
        features: tensor `(B, h, w, C)` of the picture.
        sound: tensor `(B, C)`, or `(B, K, C)` of several, as from
            `AudioInstanceIdentifier`.

    Returns:
        float32 tensor in [0, 1], `(B, h, w, 1)`, or `(B, h, w, K)` for several.

    Example:
    ```python
    features, sound = keras.random.normal((2, 6, 6, 8)), keras.random.normal((2, 8))
    AVCosineMap()(features, sound).shape  # (2, 6, 6, 1)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 3.2; of several, IEr
    (arXiv:2202.06406), note section 3.4.
    """

    def __init__(
        self, scale=5.0, trainable_scale=True, normalise=True, use_bias=False, **kwargs
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.scale = scale
        self.trainable_scale = trainable_scale
        self.normalise = normalise
        self.use_bias = use_bias
        self.scale_weight = self.add_weight(
            name="scale",
            shape=(),
            initializer=keras.initializers.Constant(scale),
            trainable=trainable_scale,
        )
        self.bias = None
        if use_bias:
            self.bias = self.add_weight(name="bias", shape=(), initializer="zeros")
        self.built = True

    def call(self, features, sound):
        features, sound = ops.cast(features, "float32"), ops.cast(sound, "float32")
        if self.normalise:
            features, sound = unit_length(features), unit_length(sound)
        if len(sound.shape) == 2:
            products = features * sound[:, None, None, :]
            products = ops.sum(products, axis=-1, keepdims=True)
        else:
            # One matrix product for all places, whatever the size of the map.
            columns = ops.transpose(sound, (0, 2, 1))[:, None]
            products = ops.matmul(features, columns)
        logits = products * self.scale_weight
        return ops.sigmoid(logits if self.bias is None else logits + self.bias)

    def compute_output_shape(self, features_shape, sound_shape=None):
        several = sound_shape is not None and len(sound_shape) == 3
        return (*features_shape[:-1], sound_shape[1] if several else 1)

    def get_config(self):
        return {
            **super().get_config(),
            "scale": self.scale,
            "trainable_scale": self.trainable_scale,
            "normalise": self.normalise,
            "use_bias": self.use_bias,
        }
