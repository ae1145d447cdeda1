import keras
from keras import ops

from keras_avrep.kernels import batch_norm

# From here on rows are long enough by themselves, and folding only costs.
MANY_CHANNELS = 64


@keras.saving.register_keras_serializable(package="keras_avrep")
class FoldedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization that is fast on a CPU.

    The same weights and results as `keras.layers.BatchNormalization` over the last
    axis. In training it is a kernel of the backend, where that has a faster one.
    Elsewhere width and channels are one axis meanwhile, as CPUs are slow on the few
    channels of small video networks; from 64 channels on it is the plain one.
    Computed in float32 under any policy, over long rows the variance as
    `E[x²] - E[x]²`.

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
        last = self.axis in (-1, inputs.ndim - 1)
        if mask is not None or self.synchronized or self.renorm or not last:
            return super().call(inputs, training=training, mask=mask)
        learning = training and self.trainable
        found = self._by_kernel(inputs) if learning else None
        if found is not None:
            outputs, mean, variance = found
            self._move_statistics(mean, variance)
            return outputs
        if inputs.shape[-1] >= MANY_CHANNELS:
            return super().call(inputs, training=training)
        width, channels = inputs.shape[-2] or 1, inputs.shape[-1]
        rows = ops.cast(ops.reshape(inputs, (-1, width * channels)), "float32")
        if learning:
            mean, variance = self._batch_statistics(rows, width, channels)
            self._move_statistics(mean, variance)
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

    def _by_kernel(self, inputs):
        """Outputs and batch statistics of the backend's kernel, if it has one."""
        if inputs.ndim < 3:
            return None
        ones = ops.ones((inputs.shape[-1],), "float32")
        gamma = ops.cast(self.gamma, "float32") if self.scale else ones
        beta = ops.cast(self.beta, "float32") if self.center else 0 * ones
        return batch_norm(inputs, gamma, beta, self.epsilon)

    def _move_statistics(self, mean, variance):
        """Fold the statistics of a batch into the moving ones."""
        for moving, new in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moved = moving * self.momentum + new * (1.0 - self.momentum)
            moving.assign(ops.cast(moved, moving.dtype))

    def _batch_statistics(self, rows, width, channels):
        mean, square = (
            ops.mean(ops.reshape(ops.mean(x, axis=0), (width, channels)), axis=0)
            for x in (rows, ops.square(rows))
        )
        return mean, ops.maximum(square - ops.square(mean), 0.0)
