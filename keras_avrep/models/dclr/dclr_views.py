import keras

from keras_avrep.layers import StaticDynamicDecoupler
from keras_avrep.views import ClipViews, augment, static_dynamic_views


@keras.saving.register_keras_serializable(package="keras_avrep")
class DCLRViews(ClipViews):
    """From two clips of each video to their RGB, static and dynamic inputs.

    Args:
        size: int. Height and width of the views, in pixels. Defaults to `112`.
        crop_scale: range of the crop's share of the area. Defaults to (0.2, 1).
        flip: float. Probability of a horizontal flip; 0 where direction is
            what is to be learned. Defaults to `0.5`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        blur: float. Probability of Gaussian blur. Defaults to `0.5`.
        wrap: string. First difference of the dynamic input, see
            `StaticDynamicDecoupler`. Defaults to `"roll"`.
        align_static: bool. Whether the static input shares its RGB clip's
            crop and flip. Defaults to `False`, as released.
        seed: int. Defaults to `None`.

    Call arguments:
        batch: dict with `video` uint8 `(B, 2, T, H, W, 3)` and `static` uint8
            `(B, 2, H, W, 3)`.

    Returns:
        Dict from `rgb`, `static`, `dynamic` to float32 tensors
        `(B, 2, T, size, size, 3)`, clip 0 being the query and 1 the key.

    Example:
    ```python
    video = keras.ops.zeros((2, 2, 4, 40, 40, 3), "uint8")
    views = DCLRViews(size=32)({"video": video, "static": video[:, :, 0]})
    views["dynamic"].shape  # (2, 2, 4, 32, 32, 3)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 2.
    """

    def __init__(
        self,
        size=112,
        crop_scale=(0.2, 1.0),
        flip=0.5,
        gray=0.2,
        jitter=0.8,
        blur=0.5,
        wrap="roll",
        align_static=False,
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
        self.blur = blur
        self.wrap = wrap
        self.align_static = align_static
        self.decoupler = StaticDynamicDecoupler(wrap)

    def call(self, batch):
        return static_dynamic_views(
            batch,
            self.draw_placement,
            self._augment,
            self.decoupler.difference,
            self.align_static,
        )

    def _augment(self, clip, placement):
        seed = self.seed_generator
        x = self.crop(clip, placement)
        if self.gray:
            x = augment.grayscale(x, seed, self.gray)
        if self.jitter:
            x = augment.color_jitter(x, seed, probability=self.jitter)
        if self.blur:
            x = augment.gaussian_blur(x, seed, self.blur_kernel, probability=self.blur)
        return augment.normalise(x)

    def get_config(self):
        return {
            **super().get_config(),
            "blur": self.blur,
            "wrap": self.wrap,
            "align_static": self.align_static,
        }
