from keras import ops

from keras_avrep.losses import cross_modal_distillation, multi_label_prototype_loss
from keras_avrep.models.ier.mixing_trainer import identifier_layers
from keras_avrep.models.solo_trainers import (
    CorrespondenceTrainer,
    correspondence_layers,
)


class ErasingTrainer(CorrespondenceTrainer):
    """Stage two of IEr: picture and sound clean each other and agree on classes.

    Prototypes stay as they are.

    Args:
        task: `InterferenceEraser`.
        optimizer: Keras optimiser.
        replay: `LabelledMixtures` of stage one, for batches with `replay_audio` and
            `replay_record`; see `keras_avrep.data.MomentSet.with_replay`. Defaults
            to `None`, no replay, whatever its weight.
        direction: string. `"both"`; `"first"` for KL(seen ‖ heard) alone; `"second"`
            for KL(heard ‖ seen) alone. Defaults to `"both"`.
        detach: `None` or `"teacher"`; see `cross_modal_distillation`. Defaults to
            `None`.
        form: string. Of the loss of the replay; see `multi_label_prototype_loss`.
            Defaults to `"binary"`.
        pool: string. See `CorrespondenceTrainer`. Defaults to `"max"`.
        mismatch_grid: int. See `CorrespondenceTrainer`. Defaults to 1.
        negatives: int. See `CorrespondenceTrainer`. Defaults to 1.
        loss_weights: dict from `"distillation"`, `"correspondence"`,
            `"identification"` and `"entropy"` to floats. Defaults to `None`, those of
            the task.

    Reference: IEr (arXiv:2202.06406), note sections 3.4, 3.5 and 4.
    """

    def __init__(
        self,
        task,
        optimizer,
        replay=None,
        direction="both",
        detach=None,
        form="binary",
        pool="max",
        mismatch_grid=1,
        negatives=1,
        loss_weights=None,
    ):
        weights = dict(task.loss_weights if loss_weights is None else loss_weights)
        if replay is None:
            weights.pop("identification", None)
        super().__init__(
            task,
            optimizer,
            pool,
            mismatch_grid,
            negatives,
            learned=[*correspondence_layers(task), *identifier_layers(task)],
            loss_weights=weights,
        )
        self.replay = replay
        self.direction = direction
        self.detach = detach
        self.form = form

    def make_views(self, batch):
        views = super().make_views(batch)
        if self.replay is None:
            return views
        replayed = self.replay(batch["replay_audio"], batch["replay_record"])
        return {
            **views,
            "replay_waveform": replayed["waveform"],
            "replay_classes": replayed["classes"],
        }

    def query_forward(self, views, keys):
        outputs = self.perceive(views)
        outputs |= self.task.refer(outputs["seen"], outputs["heard"])
        if self.replay is not None:
            heard = self.task.hear(views["replay_waveform"], training=True)
            vectors = self.task.expand(heard)
            outputs["replay_scores"] = self.task.audible_scores(vectors)
            outputs["replay_classes"] = views["replay_classes"]
        return outputs

    def compute_losses(self, outputs, batch=None):
        log_seen = outputs["visual_log_distribution"]
        losses = {
            **super().compute_losses(outputs),
            "distillation": cross_modal_distillation(
                log_seen,
                outputs["audio_log_distribution"],
                self.direction,
                self.detach,
            ),
            # To watch: two flat distributions agree as well.
            "entropy": -ops.mean(ops.sum(ops.exp(log_seen) * log_seen, axis=-1)),
        }
        if self.replay is not None:
            losses["identification"] = multi_label_prototype_loss(
                outputs["replay_scores"], outputs["replay_classes"], form=self.form
            )
        return losses
