import keras

from keras_avrep.models.static_dynamic_views import StaticDynamicViews


@keras.saving.register_keras_serializable(package="keras_avrep")
class StaticDynamicConceptsViews(StaticDynamicViews):
    """RGB, static and dynamic inputs of two clips, augmented as the paper's code.

    Args:
        **kwargs: as for `StaticDynamicViews`; the defaults differ: 128 pixels,
            crops of at least half the area, half of the clips gray from one
            channel, colour jitter always and stronger, no blur.

    Example:
    ```python
    video = keras.ops.zeros((2, 2, 4, 40, 40, 3), "uint8")
    views = StaticDynamicConceptsViews(size=32)(
        {"video": video, "static": video[:, :, 0]}
    )
    views["static"].shape  # (2, 2, 4, 32, 32, 3)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 2.
    """

    def __init__(
        self,
        size=128,
        crop_scale=(0.5, 1.0),
        gray=0.5,
        gray_from="channel",
        jitter=1.0,
        jitter_strength=(0.5, 0.5, 0.5, 0.25),
        blur=0.0,
        **kwargs,
    ):
        super().__init__(
            size=size,
            crop_scale=crop_scale,
            gray=gray,
            gray_from=gray_from,
            jitter=jitter,
            jitter_strength=jitter_strength,
            blur=blur,
            **kwargs,
        )
