import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class AudioInstanceIdentifier(keras.layers.Layer):
    """Turns one sound vector into one for each class, by learned steps added to it.

    The steps are a linear function of a mid-level map of the sound, so that a quiet
    source, which the one vector hides, can still reach its class. They are zero at
    first: every class then has the vector itself.

    Args:
        num_classes: int. K.
        rank: int or `None`. With a rank the linear function goes through that many
            numbers: `rank * K * C` weights instead of `channels * K * C`, for more
            than about 100 classes. Defaults to `None`.

    Call arguments:
        features: tensor `(B, channels)`, or a map `(B, ..., channels)` that is
            averaged over all places.
        audio: tensor `(B, C)`. The sound vector.

    Returns:
        float32 tensor `(B, K, C)`: the sound vector plus the step of each class.

    Raises:
        ValueError: if `num_classes` or `rank` is less than 1.

    Example:
    ```python
    identify = AudioInstanceIdentifier(num_classes=11)
    middle, audio = keras.random.normal((2, 13, 4, 256)), keras.random.normal((2, 512))
    identify(middle, audio).shape  # (2, 11, 512)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.3.
    """

    def __init__(self, num_classes, rank=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if num_classes < 1:
            raise ValueError(f"`num_classes` is {num_classes}; give 1 or more.")
        if rank is not None and rank < 1:
            raise ValueError(f"`rank` is {rank}; give 1 or more, or `None`.")
        self.num_classes = num_classes
        self.rank = rank

    def build(self, features_shape, audio_shape):
        width = features_shape[-1]
        if self.rank is not None:
            # Only one of two factors may start at zero, or neither would learn.
            self.basis = self.add_weight(
                name="basis", shape=(width, self.rank), initializer="glorot_uniform"
            )
            width = self.rank
        size = self.num_classes * audio_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(width, size), initializer="zeros"
        )
        self.bias = self.add_weight(name="bias", shape=(size,), initializer="zeros")

    def steps(self, features):
        """The step of each class, float32 `(B, K, C)`."""
        x = ops.cast(features, "float32")
        if len(x.shape) > 2:
            x = ops.mean(x, axis=tuple(range(1, len(x.shape) - 1)))
        if self.rank is not None:
            x = ops.matmul(x, self.basis)
        size = self.kernel.shape[-1] // self.num_classes
        x = ops.matmul(x, self.kernel) + self.bias
        return ops.reshape(x, (-1, self.num_classes, size))

    def call(self, features, audio):
        return ops.cast(audio, "float32")[:, None, :] + self.steps(features)

    def compute_output_shape(self, features_shape, audio_shape):
        return audio_shape[0], self.num_classes, audio_shape[-1]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "rank": self.rank,
        }
