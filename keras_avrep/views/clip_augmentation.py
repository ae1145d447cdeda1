import keras
from keras import ops

from keras_avrep.views import augment
from keras_avrep.views.clip_views import ClipViews


@keras.saving.register_keras_serializable(package="keras_avrep")
class ClipAugmentation(ClipViews):
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
        super().__init__(
            size, crop_scale, flip=flip, gray=gray, jitter=jitter, seed=seed, **kwargs
        )

    def call(self, clips):
        seed = self.seed_generator
        x = self.crop(clips, self.draw_placement(ops.shape(clips)[0]))
        if self.gray:
            x = augment.grayscale(x, seed, self.gray)
        if self.jitter:
            x = augment.color_jitter(x, seed, probability=self.jitter)
        return x * 255.0
