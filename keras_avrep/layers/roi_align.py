import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ROIAlign2D(keras.layers.Layer):
    """Crops of a feature map under boxes, by bilinear sampling.

    Each box is cut into `size` by `size` bins with one sample in the middle of
    each. A whole number is the centre of a cell, with no shift by half a cell, and
    places beyond the last cell take its value. Sampling is separable, so it is two
    small matrix products a box. A box turned inside out is read backwards; nothing
    becomes infinite.

    Args:
        size: int. Bins along each side. Defaults to `4`.

    Call arguments:
        inputs: feature map `(batch, h, w, channels)`.
        boxes: tensor `(batch, boxes, 4)`, relative `y1, x1, y2, x2`.

    Returns:
        float32 tensor `(batch, boxes, size, size, channels)`.

    Example:
    ```python
    boxes = keras.ops.array([[[0.25, 0.25, 0.75, 0.75]]])
    ROIAlign2D(4)(keras.random.normal((1, 7, 7, 32)), boxes).shape  # (1, 1, 4, 4, 32)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 3.
    """

    def __init__(self, size=4, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.size = size

    def call(self, inputs, boxes):
        # Sizes may be unknown, as they are where a model is exported.
        _, height, width, channels = ops.shape(inputs)
        rows = self._sampling(boxes[..., 0], boxes[..., 2], height)
        columns = self._sampling(boxes[..., 1], boxes[..., 3], width)
        # (batch, boxes · size, h) by (batch, h, w · channels)
        count = ops.shape(boxes)[1]
        x = ops.matmul(
            ops.reshape(rows, (-1, count * self.size, height)),
            ops.reshape(inputs, (-1, height, width * channels)),
        )
        x = ops.reshape(x, (-1, count, self.size, width, channels))
        # (batch, boxes, 1, size, w) by (batch, boxes, size, w, channels)
        return ops.matmul(columns[:, :, None], x)

    def _sampling(self, start, end, length):
        """Weights `(batch, boxes, size, length)` of the cells for each bin."""
        middles = (ops.arange(self.size, dtype="float32") + 0.5) / self.size
        places = start[..., None] + middles * (end - start)[..., None]
        cells = ops.cast(ops.arange(length), "float32")
        places = places * ops.cast(length, "float32")
        places = ops.minimum(ops.maximum(places, 0.0), cells[-1])
        return ops.maximum(1.0 - ops.abs(places[..., None] - cells), 0.0)

    def compute_output_shape(self, inputs_shape, boxes_shape):
        return (*boxes_shape[:2], self.size, self.size, inputs_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size}
