import keras

from keras_avrep.layers import StaticDynamicDecoupler
from keras_avrep.views import (
    ClipViews,
    augment,
    channel_gray,
    static_dynamic_views,
)

JITTER = {"brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.25}


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptViews(ClipViews):
    """From two clips of each video to their RGB, static and dynamic inputs.

    Args:
        size: int. Height and width of the views, in pixels. Defaults to `128`.
        crop_scale: range of the crop's share of the area. Defaults to (0.5, 1).
        flip: float. Probability of a horizontal flip; 0 where direction is
            what is to be learned. Defaults to `0.5`.
        gray: float. Probability that a clip shows one of its colour channels
            only. Defaults to `0.5`.
        jitter: float. Probability of colour jitter, by half in brightness,
            contrast and saturation and a quarter turn of hue. Defaults to `1.0`.
        wrap: string. First difference of the dynamic input, see
            `StaticDynamicDecoupler`. Defaults to `"roll"`.
        align_static: bool. Whether the static input shares its RGB clip's
            crop and flip. Defaults to `False`, as released.
        legacy_gray: bool. Whether every frame of a gray clip draws its own
            channel, as released: static inputs then flicker and differences
            carry colour. Defaults to `False`.
        seed: int. Defaults to `None`.

    Call arguments:
        batch: dict with `video` uint8 `(B, 2, T, H, W, 3)` and `static` uint8
            `(B, 2, H, W, 3)`.

    Returns:
        Dict from `rgb`, `static`, `dynamic` to float32 tensors
        `(B, 2, T, size, size, 3)`.

    Example:
    ```python
    video = keras.ops.zeros((2, 2, 4, 40, 40, 3), "uint8")
    views = ConceptViews(size=32)({"video": video, "static": video[:, :, 0]})
    views["dynamic"].shape  # (2, 2, 4, 32, 32, 3)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 2.
    """

    def __init__(
        self,
        size=128,
        crop_scale=(0.5, 1.0),
        flip=0.5,
        gray=0.5,
        jitter=1.0,
        wrap="roll",
        align_static=False,
        legacy_gray=False,
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
        self.wrap = wrap
        self.align_static = align_static
        self.legacy_gray = legacy_gray
        self.decoupler = StaticDynamicDecoupler(wrap)

    def call(self, batch):
        return static_dynamic_views(
            batch,
            self.draw_placement,
            self._augment,
            self.decoupler.difference,
            self.align_static,
            repeat_first=self.legacy_gray,
        )

    def _augment(self, clip, placement):
        seed = self.seed_generator
        x = self.crop(clip, placement)
        if self.gray:
            x = channel_gray(x, seed, self.gray, self.legacy_gray)
        if self.jitter:
            x = augment.color_jitter(
                x, seed, **JITTER, probability=self.jitter, random_order=True
            )
        return augment.normalise(x)

    def get_config(self):
        return {
            **super().get_config(),
            "wrap": self.wrap,
            "align_static": self.align_static,
            "legacy_gray": self.legacy_gray,
        }
