import keras
from keras import ops

# From here on rows are long enough by themselves, and folding only costs.
MANY_CHANNELS = 64


@keras.saving.register_keras_serializable(package="keras_avrep")
class FoldedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization whose arithmetic runs over long rows.

    The same weights and results as `keras.layers.BatchNormalization` over the last
    axis, but width and channels are one axis meanwhile, as CPU kernels are slow on
    the few channels of small video networks; from 64 channels on it is the plain
    one. Computed in float32 under any policy, the variance as `E[x²] - E[x]²`.

    Args:
        **kwargs: as for `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: tensor `(batch, ..., width, channels)`.
        training: bool. Whether batch statistics are used.

    Returns:
        Tensor of the input's shape.

    Example:
    ```python
    layer = FoldedBatchNormalization(momentum=0.9)
    layer(keras.random.normal((2, 4, 8, 8, 3)), training=True).shape
    ```

    Reference: arXiv:1502.03167.
    """

    def call(self, inputs, training=None, mask=None):
        few = self.axis in (-1, inputs.ndim - 1) and inputs.shape[-1] < MANY_CHANNELS
        if mask is not None or self.synchronized or not few:
            return super().call(inputs, training=training, mask=mask)
        width, channels = inputs.shape[-2] or 1, inputs.shape[-1]
        rows = ops.cast(ops.reshape(inputs, (-1, width * channels)), "float32")
        if training and self.trainable:
            mean, variance = self._batch_statistics(rows, width, channels)
            for moving, new in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                moving.assign(
                    ops.cast(
                        moving * self.momentum + new * (1.0 - self.momentum),
                        moving.dtype,
                    )
                )
        else:
            mean, variance = (
                ops.cast(x, "float32") for x in (self.moving_mean, self.moving_variance)
            )
        scale = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            scale = scale * ops.cast(self.gamma, "float32")
        shift = -mean * scale
        if self.center:
            shift = shift + ops.cast(self.beta, "float32")
        rows = rows * ops.tile(scale, (width,)) + ops.tile(shift, (width,))
        return ops.reshape(ops.cast(rows, self.compute_dtype), ops.shape(inputs))

    def _batch_statistics(self, rows, width, channels):
        mean, square = (
            ops.mean(ops.reshape(ops.mean(x, axis=0), (width, channels)), axis=0)
            for x in (rows, ops.square(rows))
        )
        return mean, ops.maximum(square - ops.square(mean), 0.0)
