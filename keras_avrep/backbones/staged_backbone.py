import keras
from keras_hub.models import Backbone


class StagedBackbone(Backbone):
    """A functional model from one input to one feature map, through stages.

    Subclasses set `feature_dim`, the channels of the map, and `stages`, a dict
    from `"stem"`, `"stage1"`, … to symbolic tensors, the last being the output.
    """

    def with_stages(self, names):
        """A model from the same input to the maps of some stages.

        Args:
            names: list of stage names.

        Returns:
            `keras.Model` from the backbone's input to a dict from name to a map,
            for video `(B, t, h, w, C)`. It shares this backbone's layers.

        Raises:
            ValueError: if a stage is unknown.

        Example:
        ```python
        maps = backbone.with_stages(["stem", "stage4"])(clips)
        ```
        """
        unknown = [name for name in names if name not in self.stages]
        if unknown:
            raise ValueError(
                f"`names` has unknown stages {unknown}; there are {list(self.stages)}."
            )
        outputs = {name: self.stages[name] for name in names}
        return keras.Model(self.input, outputs, name="stages")

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A backbone from a preset, in the dtype policy of today's machine."""
        # Keras-hub cannot read a mixed policy back.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        return super().from_preset(preset, load_weights, **kwargs)
