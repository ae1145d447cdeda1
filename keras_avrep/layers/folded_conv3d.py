import math

import keras
from keras import ops

from keras_avrep.kernels import takes_whole_kernels


@keras.saving.register_keras_serializable(package="keras_avrep")
class FoldedConv3D(keras.layers.Layer):
    """3-D convolution that runs as a 2-D convolution.

    A `(1, k, k)` kernel is a 2-D convolution with time folded into the batch,
    and a `(k, 1, 1)` kernel is one with height and width folded together. Any
    other kernel is one over the channels of all frames that it sees, side by
    side, which are copies: `k / stride` times the input's memory; in training it
    stays one in 3-D where the backend is faster at that. The weights and the numbers
    are always those of the 3-D convolution, but CPU kernels are faster, most of all
    in the backward pass, and LiteRT can quantise them. There is no bias.

    Args:
        filters: int. Number of output channels.
        kernel_size: tuple of 3 ints (time, height, width), all odd.
        strides: tuple of 3 ints. Defaults to `(1, 1, 1)`.
        fold: bool. Whether to use the 2-D form. Defaults to `True`.
        padding: string. `"symmetric"` pads `kernel // 2` on both sides, as torch
            does; `"same"` pads as TensorFlow does, one less in front where the
            stride divides an even size. Defaults to `"symmetric"`.
        kernel_initializer: Keras initializer. Defaults to He-normal over the
            fan-out.
        dilation: int. Step between the places in height and width that the
            kernel reads; above 1 only without strides. Defaults to `1`.
        time_padding: string. What pads the time axis: `"zeros"`, or `"edge"`, which
            repeats the first and last frame, so that a step reveals less of its place
            in the clip. `"edge"` needs `fold=True`. Defaults to `"zeros"`.

    Raises:
        ValueError: if a kernel size is even, `padding` or `time_padding` is unknown,
            `"edge"` is without `fold`, or both `dilation` and `strides` are above 1.

    Call arguments:
        inputs: tensor of shape `(batch, time, height, width, channels)`.
        training: bool. Whether full kernels may stay in 3-D, where that is faster.

    Returns:
        Tensor of shape `(batch, time', height', width', filters)`.

    Example:
    ```python
    layer = FoldedConv3D(8, (1, 3, 3), strides=(1, 2, 2))
    layer(keras.random.normal((2, 4, 16, 16, 3))).shape  # (2, 4, 8, 8, 8)
    ```

    Reference: factorised convolutions as in R(2+1)D, arXiv:1711.11248.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1, 1),
        fold=True,
        padding="symmetric",
        kernel_initializer=None,
        dilation=1,
        time_padding="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if any(k % 2 == 0 for k in kernel_size):
            raise ValueError(
                f"`kernel_size` must be odd for symmetric padding, got {kernel_size}."
            )
        if padding not in ("symmetric", "same"):
            raise ValueError(
                f"`padding` must be 'symmetric' or 'same', got {padding!r}."
            )
        if dilation > 1 and max(strides) > 1:
            raise ValueError(
                f"`dilation` is {dilation} and `strides` {tuple(strides)}; only one "
                "of them may be above 1."
            )
        if time_padding not in ("zeros", "edge"):
            raise ValueError(
                f"`time_padding` must be 'zeros' or 'edge', got {time_padding!r}."
            )
        if time_padding == "edge" and not fold:
            raise ValueError("`time_padding='edge'` needs `fold=True`.")
        self.padding = padding
        self.dilation = dilation
        self.time_padding = time_padding
        self.filters = filters
        self.kernel_size = tuple(kernel_size)
        self.strides = tuple(strides)
        self.fold = fold
        self.kernel_initializer = keras.initializers.get(
            kernel_initializer
            or keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
        )

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
        )

    def call(self, inputs, training=None):
        time, height, width = self.kernel_size
        if self.fold and time == 1:
            return self._spatial(inputs)
        if self.fold and height == width == 1:
            return self._temporal(inputs)
        if self.fold and not (training and self._is_faster_whole(inputs)):
            return self._stacked(inputs)
        return self._convolve(inputs, self.kernel, self.strides, self.dilation)

    def _is_faster_whole(self, x):
        return self.time_padding == "zeros" and takes_whole_kernels(x)

    def _spatial(self, x):
        batch, time, height, width, channels = ops.shape(x)
        x = take_every(x, (self.strides[0],))
        time = -(-time // self.strides[0])
        x = ops.reshape(x, (-1, height, width, channels))
        x = self._convolve(x, self.kernel[0], self.strides[1:], self.dilation)
        _, height, width, _ = ops.shape(x)
        return ops.reshape(x, (batch, time, height, width, self.filters))

    def _temporal(self, x):
        x = take_every(x, (1, *self.strides[1:]))
        padded = self.time_padding == "edge"
        if padded:
            x, _ = self._pad_time(x)
        batch, time, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (batch, time, height * width, channels))
        x = self._convolve(x, self.kernel[:, 0], (self.strides[0], 1), 1, padded)
        _, time, _, _ = ops.shape(x)
        return ops.reshape(x, (batch, time, height, width, self.filters))

    def _stacked(self, x):
        x = self._frames_seen(x)
        batch, time, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (-1, height, width, channels))
        kernel = ops.transpose(self.kernel, (1, 2, 0, 3, 4))
        kernel = ops.reshape(kernel, (*self.kernel_size[1:], channels, self.filters))
        x = self._convolve(x, kernel, self.strides[1:], self.dilation)
        _, height, width, _ = ops.shape(x)
        return ops.reshape(x, (batch, time, height, width, self.filters))

    def _frames_seen(self, x):
        """The frames that each step's kernel covers, one behind the other in channels.

        Tensor `(batch, time', height, width, kernel_time * channels)`.
        """
        length, stride = self.kernel_size[0], self.strides[0]
        x, last = self._pad_time(x)
        seen = [x[:, i : i + last + 1 : stride] for i in range(length)]
        return ops.concatenate(seen, axis=-1)

    def _pad_time(self, x):
        """Frames with what is before and behind, and where the last step begins."""
        length, stride, time = self.kernel_size[0], self.strides[0], ops.shape(x)[1]
        last = -(-time // stride) * stride - stride
        front = length // 2
        if self.padding == "same":
            front = positive(last + length - time) // 2
        back = positive(last + length - front - time)
        if self.time_padding == "edge":
            before, behind = (
                ops.repeat(x[:, place], times, axis=1)
                for place, times in ((slice(None, 1), front), (slice(-1, None), back))
            )
            return ops.concatenate([before, x, behind], axis=1), last
        x = ops.pad(x, [(0, 0), (front, back), (0, 0), (0, 0), (0, 0)])
        return x, last

    def _convolve(self, x, kernel, strides, dilation, padded=False):
        """Convolve with the layer's padding; the two are one at stride 1."""
        sizes = kernel.shape[:-2]
        if padded:
            return ops.conv(x, kernel, strides, padding="valid")
        if max(strides) == 1 or (self.padding == "same" and max(sizes) > 1):
            return ops.conv(
                x,
                kernel,
                strides,
                padding="same",
                dilation_rate=rates_of(sizes, dilation),
            )
        if max(sizes) == 1:
            # Sliced first: kernel gradients of strided 1x1 convolutions were
            # seen to differ between backends.
            x = take_every(x, strides)
            return ops.conv(x, kernel, strides=1, padding="valid")
        padding = [(size // 2, size // 2) for size in sizes]
        x = ops.pad(x, [(0, 0), *padding, (0, 0)])
        return ops.conv(x, kernel, strides=strides, padding="valid")

    def compute_output_shape(self, input_shape):
        sizes = (
            None if size is None else -(-size // stride)
            for size, stride in zip(input_shape[1:4], self.strides, strict=True)
        )
        return (input_shape[0], *sizes, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "fold": self.fold,
            "padding": self.padding,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "dilation": self.dilation,
            "time_padding": self.time_padding,
        }


def rates_of(sizes, dilation):
    """The dilation of each axis of a kernel; 1 in time and where it is 1 wide."""
    rates = (1, dilation, dilation)[-len(sizes) :]
    return tuple(
        rate if size > 1 else 1 for rate, size in zip(rates, sizes, strict=True)
    )


def positive(number):
    """A number, or a tensor of one as of a size that is not known yet, or 0."""
    return (number + abs(number)) // 2


def take_every(x, strides):
    """Every so many steps along the axes behind the first.

    The same as `x[:, ::stride, ...]`; where sizes divide it is a reshape and a
    slice, which is several times faster on a CPU.

    Args:
        x: tensor `(batch, ...)`.
        strides: ints, one for each axis from the second on; further axes are kept.

    Returns:
        Tensor.

    Example:
    ```python
    take_every(keras.ops.ones((2, 4, 8, 8, 3)), (2, 2, 2)).shape  # (2, 2, 4, 4, 3)
    ```
    """
    if max(strides) == 1:
        return x
    shape = list(x.shape[1:])
    pairs = list(zip(shape, strides, strict=False))
    if None in shape or any(size % stride for size, stride in pairs):
        return x[(slice(None), *(slice(None, None, step) for step in strides))]
    # One axis after the other: LiteRT slices tensors of up to five axes.
    for axis, (size, stride) in enumerate(pairs):
        if stride > 1:
            behind = math.prod(shape[axis + 1 :])
            x = ops.reshape(x, (-1, stride * behind))[:, :behind]
            shape[axis] = size // stride
    return ops.reshape(x, (-1, *shape))
