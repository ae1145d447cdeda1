from keras import ops

from keras_avrep.views import augment
from keras_avrep.views.clip_views import ClipViews

# Strengths of brightness, contrast, saturation and hue.
JITTER = (0.8, 0.8, 0.8, 0.2)


class PairedClipViews(ClipViews):
    """Base class of views in pairs whose halves are blurred and solarised unlike.

    Args:
        size: int. Height and width of a view in pixels.
        crop_scale: range of a crop's share of the area. Defaults to (0.3, 1).
        crop_ratio: range of its aspect ratio. Defaults to (0.5, 2).
        flip: float. Probability of a horizontal flip. Defaults to 0.5.
        jitter: float. Probability of colour jitter, in random order. Defaults to 0.8.
        gray: float. Probability of a gray clip. Defaults to 0.2.
        blur: 2 floats. Probability of Gaussian blur of the first and the second of a
            pair. Defaults to (1, 0.1).
        solarise: 2 floats. Probability of solarising either. Defaults to (0, 0.2).
        seed: int. Defaults to `None`.

    Example:
    ```python
    class Pairs(PairedClipViews):
        def call(self, clips):
            x = self.crop(clips, self.draw_placement(len(clips)))
            return self.change_colours(x, is_first=True)

    Pairs(size=32)(keras.ops.zeros((2, 4, 40, 40, 3), "uint8")).shape
    # (2, 4, 32, 32, 3)
    ```

    Reference: notes of ConST-CL (arXiv:2112.05181) and TeG (arXiv:2112.04480),
    section 2.
    """

    def __init__(
        self,
        size,
        crop_scale=(0.3, 1.0),
        crop_ratio=(0.5, 2.0),
        flip=0.5,
        jitter=0.8,
        gray=0.2,
        blur=(1.0, 0.1),
        solarise=(0.0, 0.2),
        seed=None,
        **kwargs,
    ):
        super().__init__(
            size, crop_scale, crop_ratio, flip, gray, jitter, seed, **kwargs
        )
        self.blur = tuple(blur)
        self.solarise = tuple(solarise)

    def change_colours(self, x, is_first):
        """Jitter, gray, blur and solarise views, and normalise them.

        Args:
            x: views `(B, T, size, size, 3)` from 0 to 1.
            is_first: which of a pair they are: a bool, or a bool tensor
                `(B, 1, 1, 1, 1)`.
        """
        seed = self.seed_generator
        if self.jitter:
            x = augment.color_jitter(
                x, seed, *JITTER, probability=self.jitter, random_order=True
            )
        if self.gray:
            x = augment.grayscale(x, seed, self.gray)
        blur, solarise = (_chance(c, is_first) for c in (self.blur, self.solarise))
        if blur is not None:
            x = augment.gaussian_blur(x, seed, self.blur_kernel, probability=blur)
        if solarise is not None:
            x = augment.solarise(x, seed, probability=solarise)
        return augment.normalise(x)

    def get_config(self):
        return {
            **super().get_config(),
            "blur": self.blur,
            "solarise": self.solarise,
        }


def _chance(chances, is_first):
    """The probability for one or each view, or `None` where it is 0 for all."""
    if isinstance(is_first, bool):
        return chances[0 if is_first else 1] or None
    return ops.where(is_first, *chances) if any(chances) else None
