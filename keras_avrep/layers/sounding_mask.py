import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class SoundingMask(keras.layers.Layer):
    """The cells of a map that are taken to sound, grown by one step.

    Cells above the threshold, and the four neighbours of those of them that do not
    lie on the border: what does lie there stays and does not grow. No gradient.

    Args:
        threshold: float. Of the map, absolute. Defaults to 0.05, which is permissive
            until the scale of the map has grown.
        dilate: bool. Whether the mask grows. Defaults to `True`.

    Call arguments:
        maps: tensor `(B, h, w, 1)`.

    Returns:
        float32 tensor `(B, h, w, 1)` of zeros and ones.

    Example:
    ```python
    SoundingMask(0.5)(keras.random.uniform((2, 6, 6, 1))).shape  # (2, 6, 6, 1)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 3.3.
    """

    def __init__(self, threshold=0.05, dilate=True, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.threshold = threshold
        self.dilate = dilate

    def call(self, maps):
        maps = ops.stop_gradient(ops.cast(maps, "float32"))
        mask = ops.cast(maps > self.threshold, "float32")
        if not self.dilate:
            return mask
        inner = ops.pad(mask[:, 1:-1, 1:-1], [[0, 0], [2, 2], [2, 2], [0, 0]])
        grown = mask
        height, width = ops.shape(mask)[1:3]
        for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
            shifted = inner[:, rows:, columns:]
            grown = ops.maximum(grown, shifted[:, :height, :width])
        return grown

    def compute_output_shape(self, maps_shape):
        return tuple(maps_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "threshold": self.threshold,
            "dilate": self.dilate,
        }
