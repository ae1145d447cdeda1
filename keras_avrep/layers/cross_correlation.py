import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class CrossCorrelation2D(keras.layers.Layer):
    """How well a small map fits at every place of a larger one, sample by sample.

    Args:
        scale: float. Factor of the result. Defaults to `1`.

    Call arguments:
        inputs: tensor `(batch, H, W, channels)`.
        exemplar: tensor `(batch, h, w, channels)`, not larger.

    Returns:
        float32 tensor `(batch, H - h + 1, W - w + 1)`.

    Example:
    ```python
    search = keras.random.normal((2, 32, 32, 8))
    CrossCorrelation2D()(search, search[:, :15, :15]).shape  # (2, 18, 18)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """

    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.scale = scale

    def call(self, inputs, exemplar):
        height, width, channels = inputs.shape[1:]
        rows, columns = exemplar.shape[1:3]
        # All pairs of cells in one product; a shift is a set of pairs.
        x = ops.reshape(inputs, (-1, height * width, channels))
        z = ops.reshape(exemplar, (-1, rows * columns, channels))
        pairs = ops.matmul(x, ops.transpose(z, (0, 2, 1)))
        pairs = ops.reshape(pairs, (-1, height * width * rows * columns))
        places = _pairs_of_shifts(height, width, rows, columns)
        taken = ops.take(pairs, places.ravel(), axis=1)
        taken = ops.reshape(taken, (-1, *places.shape))
        return ops.sum(taken, axis=-1) * self.scale

    def compute_output_shape(self, inputs_shape, exemplar_shape):
        sizes = zip(inputs_shape[1:3], exemplar_shape[1:3], strict=True)
        return (
            inputs_shape[0],
            *(None if None in pair else pair[0] - pair[1] + 1 for pair in sizes),
        )

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def _pairs_of_shifts(height, width, rows, columns):
    """For each shift the flat numbers of its pairs of cells, `(up, across, pairs)`."""
    up, across = np.arange(height - rows + 1), np.arange(width - columns + 1)
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    i, j = i.ravel(), j.ravel()
    cell = (up[:, None, None] + i) * width + across[None, :, None] + j
    return (cell * rows * columns + i * columns + j).astype("int32")
