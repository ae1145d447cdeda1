import keras
from keras import ops, random

from keras_avrep.views import augment


@keras.saving.register_keras_serializable(package="keras_avrep")
class FrameViews(keras.layers.Layer):
    """Single pictures for learning what sounds: a crop, a flip, light and colour.

    Args:
        size: int. Height and width of the result, in pixels; the crop has as many of
            the picture. Defaults to 224.
        flip: float. Probability of a horizontal flip. Defaults to 0.5.
        brightness: float. Factor in `1 ± brightness`. Defaults to 0.3.
        saturation: float. Factor in `1 ± saturation`. Defaults to 0.3.
        seed: int. Defaults to `None`.

    Call arguments:
        frames: `(B, H, W, 3)`, values from 0 to 255, H and W at least `size`.

    Returns:
        float32 tensor `(B, size, size, 3)`, values from 0 to 255.

    Raises:
        ValueError: if the picture is smaller than `size`.

    Example:
    ```python
    FrameViews(size=32)(keras.ops.zeros((2, 40, 40, 3), "uint8")).shape
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.1.
    """

    def __init__(
        self, size=224, flip=0.5, brightness=0.3, saturation=0.3, seed=None, **kwargs
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.size = size
        self.flip = flip
        self.brightness = brightness
        self.saturation = saturation
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.built = True

    def call(self, frames):
        count, (height, width) = ops.shape(frames)[0], frames.shape[1:3]
        if min(height, width) < self.size:
            raise ValueError(
                f"`frames` has {height} x {width} pixels; views of {self.size} need at "
                "least as many."
            )
        flips = augment.draw_flips(count, self.seed_generator, self.flip)
        clips = ops.cast(frames, "float32")[:, None] / 255.0
        boxes = self._draw_boxes(count, height, width)
        x = augment.crop_and_resize(clips, boxes, flips, self.size)
        light, colour = (
            random.uniform((count, 1, 1, 1, 1), 1 - s, 1 + s, seed=self.seed_generator)
            for s in (self.brightness, self.saturation)
        )
        return 255.0 * augment.adjust_color(x, light, 1.0, colour, 0.0)[:, 0]

    def _draw_boxes(self, count, height, width):
        starts = []
        for side in (height, width):
            # Whole pixels: the crop is not resampled.
            room = side - self.size + 1
            place = random.uniform((count,), seed=self.seed_generator) * room
            starts.append(ops.minimum(ops.floor(place), room - 1) / side)
        y, x = starts
        return ops.stack([y, x, y + self.size / height, x + self.size / width], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "flip": self.flip,
            "brightness": self.brightness,
            "saturation": self.saturation,
            "seed": self.seed,
        }
