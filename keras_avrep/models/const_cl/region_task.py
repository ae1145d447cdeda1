import json
from pathlib import Path

import keras
from keras_hub.models import Task

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.models.const_cl.const_cl import ConSTCL
from keras_avrep.models.weights_without_optimizer import WeightsWithoutOptimizer


class RegionTask(WeightsWithoutOptimizer, Task):
    """A downstream task on the branch of ConST-CL that regions were learned with."""

    backbone_cls = ResNet3DBackbone

    @classmethod
    def for_backbone(cls, backbone, **kwargs):
        """A task on a backbone, in the form that the task needs.

        The backbone is the one given where no other form is needed, so it is trained,
        or frozen, with the task.
        """
        return cls(cls.prepare_backbone(backbone), **kwargs)

    @classmethod
    def prepare_backbone(cls, backbone):
        """The backbone in the form that the task needs; unchanged by default."""
        return backbone

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A task from ConST-CL, a backbone, or a saved task of this class.

        Args:
            preset: string. A built-in name of `ConSTCL`, a directory that its or
                this class's `save_to_preset` wrote, one of a bare
                `ResNet3DBackbone`, or a handle of keras-hub. Of a `ConSTCL` the
                branch of the regions is taken.
            load_weights: bool. Defaults to `True`.
            **kwargs: constructor arguments.

        Returns:
            A task of this class.
        """
        # Keras-hub cannot read a mixed policy back, and today's machine decides.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        if preset in ConSTCL.presets or _task_name(preset) == "ConSTCL":
            model = ConSTCL.from_preset(preset, load_weights, dtype=kwargs["dtype"])
            return cls.for_backbone(model.region_backbone(), **kwargs)
        if _task_name(preset) == "" and Path(preset).is_dir():
            backbone = cls.backbone_cls.from_preset(
                preset, load_weights, dtype=kwargs["dtype"]
            )
            return cls.for_backbone(backbone, **kwargs)
        return super().from_preset(preset, load_weights, **kwargs)


def _task_name(preset):
    """Class of the task in a preset directory, empty if there is none."""
    path = Path(preset) / "task.json"
    return json.loads(path.read_text())["class_name"] if path.exists() else ""
