import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class RegionPool(keras.layers.Layer):
    """Mean of a feature map over the cells of a coarser grid, one row a region.

    Regions are ordered as the map is: time, then height, then width. The grid
    must divide the map, so that pooling is a reshape on every runtime.

    Args:
        grid: tuple of 3 ints. Regions along time, height and width.

    Call arguments:
        inputs: feature map `(batch, t, h, w, channels)`.

    Returns:
        float32 tensor `(batch, regions, channels)`.

    Raises:
        ValueError: if the grid does not divide the map.

    Example:
    ```python
    RegionPool((2, 4, 4))(keras.random.normal((1, 2, 8, 8, 16))).shape  # (1, 32, 16)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 3.2.
    """

    def __init__(self, grid, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.grid = tuple(grid)

    def call(self, inputs):
        self._check(inputs.shape)
        x = ops.cast(inputs, "float32")
        rows, height, width, channels = *self.grid, inputs.shape[-1]
        sizes = ops.shape(x)[1:4]
        # One axis at a time keeps the rank at four, which LiteRT likes.
        x = _mean(x, rows, sizes[0], sizes[1] * sizes[2] * channels)
        x = _mean(x, height, sizes[1], sizes[2] * channels)
        x = _mean(x, width, sizes[2], channels)
        return ops.reshape(x, (-1, rows * height * width, channels))

    def _check(self, shape):
        sizes = shape[1:4]
        if any(
            size is not None and (size < cells or size % cells)
            for size, cells in zip(sizes, self.grid, strict=True)
        ):
            raise ValueError(
                f"`grid` {self.grid} does not divide the map {tuple(sizes)}: choose "
                "another grid, stage, or size and number of frames of the clips."
            )

    def compute_output_shape(self, input_shape):
        self._check(input_shape)
        regions = self.grid[0] * self.grid[1] * self.grid[2]
        return (input_shape[0], regions, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "grid": self.grid}


def _mean(x, cells, size, rest):
    """Mean over each of the cells of the next axis; what is done joins the batch."""
    x = ops.reshape(x, (-1, cells, size // cells, rest))
    return ops.reshape(ops.mean(x, axis=2), (-1, rest))
