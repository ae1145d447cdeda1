import keras
from keras import ops

from keras_avrep.views import augment


class ClipViews(keras.layers.Layer):
    """Base of layers that draw a crop, a flip and colours for each clip.

    A subclass says in `call` which clips share a placement, and what happens to their
    colours.

    Args:
        size: int. Height and width of a view, in pixels.
        crop_scale: range of the crop's share of the area.
        crop_ratio: range of the crop's aspect ratio. Defaults to (3/4, 4/3).
        flip: float. Probability of a horizontal flip; 0 where direction is what is
            to be learned. Defaults to 0.5.
        gray: float. Probability of a gray clip. Defaults to 0.2.
        jitter: float. Probability of colour jitter. Defaults to 0.8.
        seed: int. Defaults to `None`.

    Example:
    ```python
    class Crops(ClipViews):
        def call(self, clips):
            return self.crop(clips, self.draw_placement(len(clips)))

    clips = keras.ops.zeros((2, 4, 40, 40, 3), "uint8")
    Crops(size=32, crop_scale=(0.5, 1.0))(clips).shape  # (2, 4, 32, 32, 3)
    ```
    """

    def __init__(
        self,
        size,
        crop_scale,
        crop_ratio=(3 / 4, 4 / 3),
        flip=0.5,
        gray=0.2,
        jitter=0.8,
        seed=None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.size = size
        self.crop_scale = tuple(crop_scale)
        self.crop_ratio = tuple(crop_ratio)
        self.flip = flip
        self.gray = gray
        self.jitter = jitter
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    @property
    def blur_kernel(self):
        """Pixels of a blur's kernel, a tenth of the view and odd."""
        return self.size // 10 // 2 * 2 + 1

    def draw_placement(self, count):
        """Crop boxes `(count, 4)` and flips `(count,)`."""
        seed = self.seed_generator
        boxes = augment.draw_crops(count, seed, self.crop_scale, self.crop_ratio)
        return boxes, augment.draw_flips(count, seed, self.flip)

    def crop(self, clips, placement):
        """Pixels `(B, T, H, W, 3)` as views `(B, T, size, size, 3)` from 0 to 1."""
        x = ops.cast(clips, "float32") / 255.0
        return augment.crop_and_resize(x, *placement, self.size)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "crop_scale": self.crop_scale,
            "crop_ratio": self.crop_ratio,
            "flip": self.flip,
            "gray": self.gray,
            "jitter": self.jitter,
            "seed": self.seed,
        }
