from keras import ops

from keras_avrep.layers import ClassDistribution, SilentGate
from keras_avrep.losses import class_presence, distribution_divergence
from keras_avrep.models.solo_trainers import (
    CorrespondenceTrainer,
    correspondence_layers,
)
from keras_avrep.training import MomentumEncoder

CATEGORIES = ("divergence", "presence")


class MixtureTrainer(CorrespondenceTrainer):
    """Stage two of CSOL: what is seen to sound must be what is heard.

    Args:
        task: `CSOL`.
        optimizer: Keras optimiser.
        mismatch_grid: int. 2 for composites of 2 x 2 pictures, whose parts must each
            be quiet; 1 for natural pictures. Defaults to 1.
        negatives: int. See `CorrespondenceTrainer`. Defaults to 1.
        category: string. The category term: `"divergence"` of distributions over
            classes, or `"presence"` of each class on its own, as for AudioSet; see
            `class_presence`. Defaults to `"divergence"`.
        temperature: float. Of the softmax over what is heard. Defaults to 1.
        seen_temperature: float. Of the softmax over what is seen, of a divergence.
            Defaults to 1.
        direction: string. Of the divergence; see `distribution_divergence`. Defaults
            to `"target"`, as released.
        divide_by_classes: bool. Whether the divergence is divided by the number of
            classes, as released. Defaults to `True`.
        gated: bool. `False` for a warm-up without the gate, whatever the task has.
            Defaults to `True`.
        loss_weights: dict from `"category"` and `"correspondence"` to floats. Defaults
            to `None`, those of the task.
        teacher: `MomentumEncoder` of another such trainer, to be shared. Defaults to
            `None`.

    Raises:
        ValueError: if `category` is unknown.

    Reference: CSOL (arXiv:2112.11749), note sections 3.4 and 4.
    """

    def __init__(
        self,
        task,
        optimizer,
        mismatch_grid=1,
        negatives=1,
        category="divergence",
        temperature=1.0,
        seen_temperature=1.0,
        direction="target",
        divide_by_classes=True,
        gated=True,
        loss_weights=None,
        teacher=None,
    ):
        if category not in CATEGORIES:
            raise ValueError(
                f"`category` must be one of {CATEGORIES}, got {category!r}."
            )
        super().__init__(
            task,
            optimizer,
            mismatch_grid=mismatch_grid,
            negatives=negatives,
            learned=[*correspondence_layers(task), task.scale_shift],
            loss_weights=task.loss_weights if loss_weights is None else loss_weights,
        )
        self.category, self.temperature = category, temperature
        self.direction = direction
        self.divide_by_classes = divide_by_classes
        self.gate = None if gated else SilentGate("off")
        self.distribution = ClassDistribution(seen_temperature)
        if teacher is None:
            # A twin that stands still: its momentum is never used.
            teacher = MomentumEncoder([task.audio_backbone, task.audio_classifier])
        self.teacher = teacher

    def freeze_teacher(self):
        """Take the sound classifier as it is now for the teacher."""
        self.teacher.copy_from([self.task.audio_backbone, self.task.audio_classifier])

    def key_forward(self, views):
        backbone, classifier = self.teacher.twins
        spectrogram = self.task.spectrogram(views["waveform"])[..., None]
        features = backbone(spectrogram, training=False)
        logits = classifier(ops.max(ops.cast(features, "float32"), axis=(1, 2)))
        return {"heard": ops.softmax(logits / self.temperature, axis=-1)}

    def query_forward(self, views, keys):
        outputs = self.perceive(views)
        maps = self.task.muted_maps(outputs["seen"], outputs["fits"], self.gate)
        if self.category == "presence":
            return {**outputs, **keys, "class_maps": maps}
        return {**outputs, **keys, "log_seen": self.distribution(maps)}

    def compute_losses(self, outputs, batch=None):
        losses = super().compute_losses(outputs)
        return {**losses, "category": self.category_loss(outputs)}

    def category_loss(self, outputs):
        """How far what is seen to sound is from what is heard."""
        if self.category == "presence":
            return class_presence(outputs["class_maps"], outputs["heard"])
        return distribution_divergence(
            outputs["heard"],
            outputs["log_seen"],
            self.direction,
            self.divide_by_classes,
        )
