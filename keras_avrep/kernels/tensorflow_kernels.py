import tensorflow as tf

from keras_avrep.kernels.onednn import has_onednn

# The kernels hold so many channels at a time; they are slow on other numbers.
LANES = 16


def batch_norm(x, gamma, beta, epsilon):
    """Batch normalization as the package says, in float32 or bfloat16 on a CPU.

    Channels that do not fill the lanes are filled up with zeros, where that costs
    less than it saves.
    """
    channels = x.shape[-1]
    missing = -channels % LANES
    if x.dtype not in (tf.float32, tf.bfloat16) or _on_gpu():
        return None
    if missing and channels < (24 if x.dtype == tf.bfloat16 else 64):
        return None
    rows = tf.reshape(x, (-1, 1, x.shape[-2] or 1, channels))
    if missing:
        rows = tf.pad(rows, [(0, 0)] * 3 + [(0, missing)])
        gamma, beta = (tf.pad(v, [(0, missing)]) for v in (gamma, beta))
    y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        rows, gamma, beta, epsilon=epsilon, is_training=True
    )
    if missing:
        # Not `[..., :channels]`, whose gradient is several times slower.
        y = tf.slice(y, [0] * 4, [-1, -1, -1, channels])
        mean, variance = mean[:channels], variance[:channels]
    # The kernel's variance is that of a sample, with one less as the divisor.
    count = tf.cast(tf.size(x) // channels, "float32")
    return tf.reshape(y, tf.shape(x)), mean, variance * (count - 1) / count


def takes_whole_kernels(x):
    """With oneDNN in float32; XLA's own are several times slower on a CPU."""
    if x.dtype != tf.float32 or not has_onednn() or _on_gpu():
        return False
    return tf.__internal__.get_enclosing_xla_context() is None


def _on_gpu():
    """Whether operations may be placed on a GPU, where XLA compiles the step."""
    return bool(tf.config.list_physical_devices("GPU"))
