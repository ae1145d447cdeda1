import keras
from keras import ops, random

from keras_avrep.views import augment
from keras_avrep.views.clip_views import ClipViews


@keras.saving.register_keras_serializable(package="keras_avrep")
class ControllableAugment(ClipViews):
    """Random crop, flip and colours whose draws are returned as numbers.

    One draw for each clip. Crops are sampled without rounding, so a record is
    what really happened.

    Args:
        size: int. Height and width of the result, in pixels. Defaults to `112`.
        crop_scale: range of the crop's share of the area. Defaults to (0.2, 0.6).
        flip: float. Probability of a horizontal flip. Defaults to `0.5`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        strengths: 4 floats. Largest change of brightness, contrast, saturation
            (factors `1 ± strength`) and hue (turn, of a full circle). Defaults
            to (0.4, 0.4, 0.4, 0.1).
        blur: float. Probability of Gaussian blur. Defaults to `0.0`.
        seed: int. Defaults to `None`.

    Call arguments:
        clips: `(B, T, H, W, 3)`, values from 0 to 255.

    Returns:
        Three float32 tensors: the clips `(B, T, size, size, 3)`, normalised; the
        placement `(B, 5)`, `y, x, height, width` in fractions of the picture and
        `flip` 0 or 1; the colours `(B, 6)`, the changes of brightness, contrast,
        saturation and hue, `gray` 0 or 1 and the blur's standard deviation in
        pixels, all 0 for a clip whose colours are as they were.

    Example:
    ```python
    clips = keras.ops.zeros((2, 4, 40, 40, 3), "uint8")
    views, placement, colours = ControllableAugment(size=32)(clips)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 2.3.
    """

    def __init__(
        self,
        size=112,
        crop_scale=(0.2, 0.6),
        flip=0.5,
        gray=0.2,
        jitter=0.8,
        strengths=(0.4, 0.4, 0.4, 0.1),
        blur=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            size,
            crop_scale,
            flip=flip,
            gray=gray,
            jitter=jitter,
            seed=seed,
            **kwargs,
        )
        self.strengths = tuple(strengths)
        self.blur = blur

    def call(self, clips):
        count = ops.shape(clips)[0]
        boxes, flips = self.draw_placement(count)
        colours = self._draw_colours(count)
        x = self.crop(clips, (boxes, flips))
        x = augment.normalise(self._apply_colours(x, colours))
        corner, length = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
        flips = ops.cast(flips, "float32")[:, None]
        return x, ops.concatenate([corner, length, flips], axis=-1), colours

    def _draw_colours(self, count):
        strengths = ops.array(self.strengths, "float32")
        changes = self._uniform((count, 4), -1.0, 1.0) * strengths
        jitter = self._chosen(count, self.jitter)
        blur = self._uniform((count, 1), 0.1, 2.0) * self._chosen(count, self.blur)
        gray = self._chosen(count, self.gray)
        return ops.concatenate([changes * jitter, gray, blur], axis=-1)

    def _apply_colours(self, clip, colours):
        """What the record says; switched-off changes cost nothing."""
        x = clip
        values = ops.reshape(colours, (-1, 6, 1, 1, 1, 1))
        if self.gray:
            x = ops.where(values[:, 4] > 0, augment.luma(x), x)
        if self.jitter:
            factors = [1.0 + values[:, i] for i in range(3)]
            adjusted = augment.adjust_color(x, *factors, values[:, 3])
            jittered = ops.any(values[:, :4] != 0, axis=1)
            x = ops.where(jittered, adjusted, x)
        if self.blur:
            # A kernel of one pixel would not do what the record says.
            kernel = max(3, self.blur_kernel)
            sigma = ops.maximum(colours[:, 5, None, None], 0.1)
            x = ops.where(values[:, 5] > 0, augment.blur(x, sigma, kernel), x)
        return x

    def _uniform(self, shape, low, high):
        return random.uniform(shape, low, high, seed=self.seed_generator)

    def _chosen(self, count, probability):
        return ops.cast(self._uniform((count, 1), 0.0, 1.0) < probability, "float32")

    def get_config(self):
        return {
            **super().get_config(),
            "strengths": self.strengths,
            "blur": self.blur,
        }
