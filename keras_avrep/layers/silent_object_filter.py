import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class SilentObjectFilter(keras.layers.Layer):
    """Mutes what is seen and not heard, class by class.

    Args:
        temperature: float. Multiplies the averaged maps before the softmax: they are
            small, and without it the distribution is nearly flat. Defaults to 10.
        enabled: bool. Whether the sound counts at all; without, the maps stay as they
            are. Defaults to `True`.

    Call arguments:
        visual_maps: tensor `(B, h, w, K)`. Where each class is seen.
        sound_maps: tensor `(B, h, w, K)` in [0, 1]. Where each class fits the sound.

    Returns:
        Dict of float32 `class_maps` `(B, h, w, K)`, the product, and
        `log_distribution` `(B, K)`, the logarithm of the softmax of its average: the
        distribution of classes that the picture sees, guided by the sound.

    Example:
    ```python
    maps = keras.random.uniform((2, 6, 6, 3))
    SilentObjectFilter()(maps, maps)["log_distribution"].shape  # (2, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.4.
    """

    def __init__(self, temperature=10.0, enabled=True, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.temperature = temperature
        self.enabled = enabled

    def call(self, visual_maps, sound_maps):
        maps = ops.cast(visual_maps, "float32")
        if self.enabled:
            maps = maps * ops.cast(sound_maps, "float32")
        pooled = ops.mean(maps, axis=(1, 2))
        return {
            "class_maps": maps,
            "log_distribution": ops.log_softmax(self.temperature * pooled, axis=-1),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "enabled": self.enabled,
        }
