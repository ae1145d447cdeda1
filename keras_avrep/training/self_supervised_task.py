import keras
from keras_hub.models import Task

from keras_avrep.training.self_supervised_step import SelfSupervisedStep


class SelfSupervisedTask(SelfSupervisedStep, Task):
    """A task that is trained by its own `SelfSupervisedStep`."""

    @property
    def representation(self):
        """The exportable model from pixels `(B, T, H, W, 3)` to `(B, D)`."""
        return keras.Model(self.inputs[0], self.outputs[0], name="representation")
