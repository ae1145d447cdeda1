import keras

from keras_avrep.models.static_dynamic_views import StaticDynamicViews


@keras.saving.register_keras_serializable(package="keras_avrep")
class DCLRViews(StaticDynamicViews):
    """RGB, static and dynamic inputs of two clips, augmented as DCLR has it.

    The defaults of `StaticDynamicViews` are DCLR's; call and result are the same.

    Args:
        **kwargs: as for `StaticDynamicViews`.

    Example:
    ```python
    video = keras.ops.zeros((2, 2, 4, 40, 40, 3), "uint8")
    views = DCLRViews(size=32)({"video": video, "static": video[:, :, 0]})
    views["dynamic"].shape  # (2, 2, 4, 32, 32, 3)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 2.
    """
