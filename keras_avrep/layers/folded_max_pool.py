import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class FoldedMaxPool3D(keras.layers.Layer):
    """Max-pooling of every step of a video, as 2-D pooling with time folded away.

    Equal to a `MaxPooling3D` over `(1, size, size)` but for two things: its gradient
    goes to one of several equal maxima, where TensorFlow's 3-D pooling gives all of
    them the whole of it (in bfloat16 maxima are often equal), and LiteRT has an
    operation for it.

    Args:
        size: int. Height and width of a window. Defaults to `3`.
        stride: int. Defaults to `2`.
        padding: string. `"same"` as TensorFlow pads, or `"symmetric"`: half a window
            on both sides, as PyTorch does. Defaults to `"same"`.

    Call arguments:
        inputs: tensor `(batch, t, h, w, channels)`.

    Returns:
        Tensor `(batch, t, h / stride, w / stride, channels)`, rounded up.

    Raises:
        ValueError: if `padding` is neither, or `"symmetric"` and `size` is even.

    Example:
    ```python
    FoldedMaxPool3D()(keras.random.normal((1, 4, 12, 12, 8))).shape  # (1, 4, 6, 6, 8)
    ```
    """

    def __init__(self, size=3, stride=2, padding="same", **kwargs):
        if padding not in ("same", "symmetric"):
            raise ValueError(f"`padding` is {padding!r}; give 'same' or 'symmetric'.")
        if padding == "symmetric" and size % 2 == 0:
            raise ValueError(
                f"`size` is {size}, which has no middle; give an odd one, or 'same' as "
                "`padding`."
            )
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride
        self.padding = padding

    def call(self, inputs):
        batch, time, height, width, channels = ops.shape(inputs)
        x = ops.reshape(inputs, (-1, height, width, channels))
        padding = self.padding
        if padding == "symmetric":
            # Mirrored pixels lie in the window already, so they change no maximum.
            half = self.size // 2
            x = ops.pad(x, [[0, 0], [half, half], [half, half], [0, 0]], "symmetric")
            padding = "valid"
        x = ops.max_pool(x, self.size, self.stride, padding=padding)
        return ops.reshape(x, (batch, time, *ops.shape(x)[1:]))

    def compute_output_shape(self, input_shape):
        sizes = (None if n is None else -(-n // self.stride) for n in input_shape[2:4])
        return (*input_shape[:2], *sizes, input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "stride": self.stride,
            "padding": self.padding,
        }
