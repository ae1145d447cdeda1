import keras
from keras import ops

from keras_avrep.views import PairedClipViews

NUMBERS = ("short_start", "long_start", "short_stride", "long_stride", "looped")


@keras.saving.register_keras_serializable(package="keras_avrep")
class TeGViews(PairedClipViews):
    """From a long clip and a short one within it to two augmented views.

    Each clip has its own draw. Blur and solarisation are of one strength (a) for
    the short clip and of another (b) for the long one in even places of a batch,
    and the other way round in odd ones, so that they do not tell the length.

    Args:
        size: int. Height and width of the views, in pixels. Defaults to `224`.
        crop_scale: range of the crop's share of the area. Defaults to (0.3, 1).
        crop_ratio: range of the crop's aspect ratio. Defaults to (0.5, 2).
        flip: float. Probability of a horizontal flip; 0 where direction is
            what is to be learned. Defaults to `0.5`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        blur: two floats. Probabilities of Gaussian blur in a and b. Defaults to
            (1, 0.1).
        solarise: two floats. Probabilities of solarisation in a and b. Defaults
            to (0, 0.2).
        shared_crop: bool. Whether both clips have the same crop and flip, which
            makes steps easy to match by place. Defaults to `False`.
        seed: int. Defaults to `None`.

    Call arguments:
        batch: dict with `short` uint8 `(B, Ts, H, W, 3)`, `long` uint8
            `(B, Tl, H, W, 3)` and the `numbers` of
            `keras_avrep.views.NestedClipSampler`, each `(B,)`.

    Returns:
        Dict of float32 `short` `(B, Ts, size, size, 3)`, `long`
        `(B, Tl, size, size, 3)` and the same numbers.

    Example:
    ```python
    batch = {
        "short": keras.ops.zeros((2, 4, 40, 40, 3), "uint8"),
        "long": keras.ops.zeros((2, 8, 40, 40, 3), "uint8"),
        **{name: keras.ops.ones((2,)) for name in NUMBERS},
    }
    TeGViews(size=32)(batch)["long"].shape  # (2, 8, 32, 32, 3)
    ```

    Reference: TeG (arXiv:2112.04480), note section 2; values of CVRL.
    """

    def __init__(
        self,
        size=224,
        crop_scale=(0.3, 1.0),
        crop_ratio=(0.5, 2.0),
        flip=0.5,
        jitter=0.8,
        gray=0.2,
        blur=(1.0, 0.1),
        solarise=(0.0, 0.2),
        shared_crop=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            size,
            crop_scale,
            crop_ratio,
            flip,
            jitter,
            gray,
            blur,
            solarise,
            seed,
            **kwargs,
        )
        self.shared_crop = shared_crop

    def call(self, batch):
        count = ops.shape(batch["short"])[0]
        even = ops.reshape(ops.arange(count) % 2 == 0, (-1, 1, 1, 1, 1))
        placement = self.draw_placement(count)
        short = self.crop(batch["short"], placement)
        if not self.shared_crop:
            placement = self.draw_placement(count)
        long = self.crop(batch["long"], placement)
        numbers = {name: ops.cast(batch[name], "float32") for name in NUMBERS}
        return {
            "short": self.change_colours(short, is_first=even),
            "long": self.change_colours(long, is_first=ops.logical_not(even)),
            **numbers,
        }

    def get_config(self):
        return {
            **super().get_config(),
            "shared_crop": self.shared_crop,
        }
