import keras
from keras import ops

WRAPS = ("roll", "zero", "repeat")


@keras.saving.register_keras_serializable(package="keras_avrep")
class StaticDynamicDecoupler(keras.layers.Layer):
    """Splits a normalised clip into its RGB, static and dynamic inputs.

    The static input repeats one frame over time; the dynamic input is the
    difference of neighbouring frames. Differences are signed and must be taken
    after normalisation, never on uint8.

    Args:
        wrap: string. What the first difference is: `"roll"` first minus last
            frame (as released), `"zero"` zeros, `"repeat"` the second
            difference. Defaults to `"roll"`.
        frame_index: int, `"middle"` or `"random"`. The frame that the static
            input repeats; `"random"` draws one a clip while training and takes
            the middle one otherwise. Defaults to `"middle"`.
        seed: int. Seed of the draw. Defaults to `None`.

    Call arguments:
        inputs: float tensor of shape `(batch, T, H, W, channels)`.

    Returns:
        Dict of `rgb`, `static`, `dynamic`, each of the input's shape.

    Raises:
        ValueError: if `wrap` or `frame_index` is unknown, or no frame of the clip.

    Example:
    ```python
    inputs = StaticDynamicDecoupler()(keras.random.normal((2, 4, 8, 8, 3)))
    inputs["dynamic"].shape  # (2, 4, 8, 8, 3)
    ```

    Reference: DCLR (arXiv:2207.05340), released `main_view.py`.
    """

    def __init__(self, wrap="roll", frame_index="middle", seed=None, **kwargs):
        # Neighbouring frames are too alike for half precision.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if wrap not in WRAPS:
            raise ValueError(f"`wrap` must be one of {WRAPS}, got {wrap!r}.")
        number = type(frame_index) is int and frame_index >= 0
        if not number and frame_index not in ("middle", "random"):
            raise ValueError(
                "`frame_index` must be an int from 0 on, 'middle' or 'random', "
                f"got {frame_index!r}."
            )
        self.wrap = wrap
        self.frame_index = frame_index
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return {
            "rgb": inputs,
            "static": self.freeze(inputs, training),
            "dynamic": self.difference(inputs),
        }

    def freeze(self, clip, training=False):
        """Repeat one frame of each clip over time."""
        clip = ops.cast(clip, self.compute_dtype)
        batch, time = ops.shape(clip)[0], clip.shape[1]
        # Of a frame that is not there a one-hot is black, not an error.
        if type(self.frame_index) is int and self.frame_index >= time:
            raise ValueError(
                f"`frame_index` is {self.frame_index}, but the clip has {time} frames; "
                "give one of them."
            )
        if self.frame_index == "random" and training:
            index = keras.random.randint((batch,), 0, time, seed=self.seed_generator)
        else:
            middle = self.frame_index in ("middle", "random")
            index = ops.full((batch,), time // 2 if middle else self.frame_index)
        one_hot = ops.cast(ops.one_hot(index, time), clip.dtype)
        frame = ops.einsum("bt,bthwc->bhwc", one_hot, clip)
        return ops.repeat(frame[:, None], time, axis=1)

    def difference(self, clip):
        """Difference of every frame to the one before it."""
        # Differences of whole numbers without a sign would wrap around.
        clip = ops.cast(clip, self.compute_dtype)
        difference = clip - ops.roll(clip, 1, axis=1)
        if self.wrap == "roll" or clip.shape[1] == 1:
            return difference
        first = difference[:, 1:2]
        if self.wrap == "zero":
            first = ops.zeros_like(first)
        return ops.concatenate([first, difference[:, 1:]], axis=1)

    def compute_output_shape(self, input_shape):
        return dict.fromkeys(("rgb", "static", "dynamic"), input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "wrap": self.wrap,
            "frame_index": self.frame_index,
            "seed": self.seed,
        }
