import keras
from keras import ops

from keras_avrep.layers.class_distribution import ClassDistribution


@keras.saving.register_keras_serializable(package="keras_avrep")
class SilentObjectFilter(keras.layers.Layer):
    """Mutes what is seen and not heard, class by class.

    Args:
        logit_scale: float. Multiplies the averaged maps before the softmax: they are
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

    Raises:
        ValueError: if `logit_scale` is not above 0.

    Example:
    ```python
    maps = keras.random.uniform((2, 6, 6, 3))
    SilentObjectFilter()(maps, maps)["log_distribution"].shape  # (2, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.4.
    """

    def __init__(self, logit_scale=10.0, enabled=True, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if logit_scale <= 0:
            raise ValueError(f"`logit_scale` is {logit_scale}; give one above 0.")
        self.logit_scale = logit_scale
        self.enabled = enabled
        self.distribution = ClassDistribution(1 / logit_scale)
        self.built = True

    def call(self, visual_maps, sound_maps):
        maps = ops.cast(visual_maps, "float32")
        if self.enabled:
            maps = maps * ops.cast(sound_maps, "float32")
        return {"class_maps": maps, "log_distribution": self.distribution(maps)}

    def get_config(self):
        return {
            **super().get_config(),
            "logit_scale": self.logit_scale,
            "enabled": self.enabled,
        }
