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

    Call arguments:
        inputs: tensor `(batch, t, h, w, channels)`.

    Returns:
        Tensor `(batch, t, h / stride, w / stride, channels)`, rounded up; padding is
        that of TensorFlow's "same".

    Example:
    ```python
    FoldedMaxPool3D()(keras.random.normal((1, 4, 12, 12, 8))).shape  # (1, 4, 6, 6, 8)
    ```
    """

    def __init__(self, size=3, stride=2, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.stride = stride

    def call(self, inputs):
        batch, time, height, width, channels = ops.shape(inputs)
        x = ops.reshape(inputs, (-1, height, width, channels))
        x = ops.max_pool(x, self.size, self.stride, padding="same")
        return ops.reshape(x, (batch, time, *ops.shape(x)[1:]))

    def compute_output_shape(self, input_shape):
        sizes = (None if n is None else -(-n // self.stride) for n in input_shape[2:4])
        return (*input_shape[:2], *sizes, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size, "stride": self.stride}
