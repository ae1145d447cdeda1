import keras
from keras import ops

from keras_avrep.views import augment


@keras.saving.register_keras_serializable(package="keras_avrep")
class ClipAugmentation(keras.layers.Layer):
    """Random crop, flip, colours: one draw for each clip, pixels in and out.

    Args:
        size: int. Height and width of the result, in pixels. Defaults to `112`.
        crop_scale: range of the crop's share of the area. Defaults to (0.5, 1).
        flip: float. Probability of a horizontal flip. Defaults to `0.5`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        seed: int. Defaults to `None`.

    Call arguments:
        clips: `(B, T, H, W, 3)`, values from 0 to 255.

    Returns:
        float32 tensor `(B, T, size, size, 3)`, values from 0 to 255.

    Example:
    ```python
    clips = keras.ops.zeros((2, 4, 40, 40, 3), "uint8")
    ClipAugmentation(size=32)(clips).shape  # (2, 4, 32, 32, 3)
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.1.
    """

    def __init__(
        self,
        size=112,
        crop_scale=(0.5, 1.0),
        flip=0.5,
        gray=0.2,
        jitter=0.8,
        seed=None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.size = size
        self.crop_scale = tuple(crop_scale)
        self.flip = flip
        self.gray = gray
        self.jitter = jitter
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, clips):
        seed, count = self.seed_generator, ops.shape(clips)[0]
        boxes = augment.draw_crops(count, seed, self.crop_scale)
        flips = augment.draw_flips(count, seed, self.flip)
        x = ops.cast(clips, "float32") / 255.0
        x = augment.crop_and_resize(x, boxes, flips, self.size)
        if self.gray:
            x = augment.grayscale(x, seed, self.gray)
        if self.jitter:
            x = augment.color_jitter(x, seed, probability=self.jitter)
        return x * 255.0

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "crop_scale": self.crop_scale,
            "flip": self.flip,
            "gray": self.gray,
            "jitter": self.jitter,
            "seed": self.seed,
        }
