import keras
from keras import ops

POOLS = ("max", "mean")


@keras.saving.register_keras_serializable(package="keras_avrep")
class MapMatchScore(keras.layers.Layer):
    """How well a picture and a sound match, from the map of where they do.

    Args:
        grid: int. Parts a side that are scored on their own; 2 is for composites
            of 2 x 2 pictures only. Defaults to 1, the whole map.
        pool: string. `"max"` or `"mean"` of each part. Defaults to `"max"`.

    Call arguments:
        maps: tensor `(B, h, w, 1)`; h and w divisible by `grid`.

    Returns:
        float32 tensor `(B, grid * grid)`, row by row.

    Raises:
        ValueError: if an argument or the size of the map is not as described.

    Example:
    ```python
    MapMatchScore(grid=2)(keras.random.uniform((3, 6, 6, 1))).shape  # (3, 4)
    ```

    Reference: CSOL (arXiv:2112.11749), note sections 3.2 and 4.
    """

    def __init__(self, grid=1, pool="max", **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if grid < 1:
            raise ValueError(f"`grid` is {grid}; give 1 or more.")
        if pool not in POOLS:
            raise ValueError(f"`pool` must be one of {POOLS}, got {pool!r}.")
        self.grid = grid
        self.pool = pool

    def build(self, maps_shape):
        sides = maps_shape[1:3]
        if self.grid > 1 and any(side is None or side % self.grid for side in sides):
            raise ValueError(
                f"A map of {sides} cannot be cut into {self.grid} x "
                f"{self.grid} parts; give frames of another size or `grid=1`."
            )

    def call(self, maps):
        maps = ops.cast(maps, "float32")
        sides = maps.shape[1:3]
        if None in sides:
            # The whole map may be of any size.
            return (ops.max if self.pool == "max" else ops.mean)(maps, axis=(1, 2))
        # Pools: the gradient of `ops.max` looks for a maximum that XLA may have
        # computed anew, a little differently.
        pool = ops.max_pool if self.pool == "max" else ops.average_pool
        part = tuple(side // self.grid for side in sides)
        return ops.reshape(pool(maps, part, strides=part), (-1, self.grid**2))

    def compute_output_shape(self, maps_shape):
        return (maps_shape[0], self.grid**2)

    def get_config(self):
        return {**super().get_config(), "grid": self.grid, "pool": self.pool}
