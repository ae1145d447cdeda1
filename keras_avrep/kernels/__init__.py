"""What one backend does in a kernel of its own, faster than `keras.ops` does it.

One thin file a backend; layers ask, and do with `keras.ops` what no kernel does for
them. Results are the same up to rounding.

`batch_norm(x, gamma, beta, epsilon)` takes a tensor `(batch, ..., width, channels)` in
training, float32 `gamma` and `beta` `(channels,)`, and a float that is added to the
variance. It returns the normalised tensor, of the shape and type of `x`, and the
float32 mean and variance `(channels,)` of the batch; or `None` where no kernel is
faster.

`takes_whole_kernels(x)` says of a tensor `(batch, time, height, width, channels)`
whether full 3-D kernels train faster on it as they are than as 2-D ones over stacked
frames.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras_avrep.kernels.tensorflow_kernels import batch_norm, takes_whole_kernels
elif keras.backend.backend() == "torch":
    from keras_avrep.kernels.torch_kernels import batch_norm, takes_whole_kernels
else:
    # XLA makes one loop of `keras.ops` by itself.
    def batch_norm(x, gamma, beta, epsilon):
        """`None`: there is no kernel."""
        return

    def takes_whole_kernels(x):
        """No: XLA's own are several times slower on a CPU."""
        return False


__all__ = ["batch_norm", "takes_whole_kernels"]
