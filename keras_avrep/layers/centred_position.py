import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class CentredPosition(keras.layers.Layer):
    """Adds channels that say where a cell lies in time and space.

    Coordinates are whole numbers of cells minus their mean, so maps of another
    size extrapolate. Time, and height with width, go through two dense layers
    each: `hidden_dim` with ReLU, then `output_dim`.

    Args:
        hidden_dim: int. Defaults to `4`.
        output_dim: int. Channels of either code. Defaults to `8`.

    Call arguments:
        inputs: feature map `(batch, t, h, w, channels)`.

    Returns:
        Tensor `(batch, t, h, w, channels + 2 * output_dim)`, of the input's dtype.

    Example:
    ```python
    CentredPosition()(keras.random.normal((1, 5, 7, 7, 32))).shape  # (1, 5, 7, 7, 48)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 3.
    """

    def __init__(self, hidden_dim=4, output_dim=8, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.output_dim = output_dim
        self.time_layers = self._dense_layers("time")
        self.space_layers = self._dense_layers("space")

    def _dense_layers(self, name):
        sizes = {"hidden": (self.hidden_dim, "relu"), "code": (self.output_dim, None)}
        return [
            keras.layers.Dense(
                size, activation, dtype=self.dtype_policy, name=f"{name}_{part}"
            )
            for part, (size, activation) in sizes.items()
        ]

    def build(self, input_shape):
        for layers, size in ((self.time_layers, 1), (self.space_layers, 2)):
            layers[0].build((None, size))
            layers[1].build((None, self.hidden_dim))

    def call(self, inputs):
        sizes = [
            static if static is not None else dynamic
            for static, dynamic in zip(inputs.shape, ops.shape(inputs), strict=True)
        ][:4]
        _, time, height, width = sizes
        y, x = ops.meshgrid(_centred(height), _centred(width), indexing="ij")
        time_code = _apply(self.time_layers, _centred(time)[:, None])
        space_code = _apply(self.space_layers, ops.stack([y, x], axis=-1))
        # Codes are the same for all clips: broadcast over what they do not know.
        codes = [
            ops.broadcast_to(code, (*sizes, self.output_dim))
            for code in (time_code[None, :, None, None], space_code[None, None])
        ]
        codes = [ops.cast(code, inputs.dtype) for code in codes]
        return ops.concatenate([inputs, *codes], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 2 * self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "output_dim": self.output_dim,
        }


def _centred(length):
    """Coordinates of cells, their mean being 0."""
    places = ops.cast(ops.arange(length), "float32")
    return places - ops.mean(places)


def _apply(layers, x):
    for layer in layers:
        x = layer(x)
    return x
