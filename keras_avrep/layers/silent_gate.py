import keras
from keras import ops

MODES = ("product", "minimum", "off")


@keras.saving.register_keras_serializable(package="keras_avrep")
class SilentGate(keras.layers.Layer):
    """Mutes class maps where the sound does not fit the picture.

    Args:
        mode: string. `"product"` multiplies, `"minimum"` takes the smaller,
            `"off"` leaves the class maps as they are. Defaults to `"product"`.

    Call arguments:
        class_maps: tensor `(B, h, w, K)`.
        sounding_map: tensor `(B, h, w, 1)` in [0, 1].

    Returns:
        float32 tensor `(B, h, w, K)`.

    Raises:
        ValueError: if `mode` is not as described.

    Example:
    ```python
    maps = keras.random.normal((2, 6, 6, 3))
    SilentGate()(maps, keras.ops.zeros((2, 6, 6, 1)))  # zeros
    ```

    Reference: CSOL (arXiv:2112.11749), note section 3.4.
    """

    def __init__(self, mode="product", **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {MODES}, got {mode!r}.")
        self.mode = mode

    def call(self, class_maps, sounding_map):
        class_maps = ops.cast(class_maps, "float32")
        sounding_map = ops.cast(sounding_map, "float32")
        if self.mode == "product":
            return class_maps * sounding_map
        if self.mode == "minimum":
            return ops.minimum(class_maps, sounding_map)
        return class_maps

    def compute_output_shape(self, class_maps_shape, sounding_map_shape=None):
        return tuple(class_maps_shape)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
