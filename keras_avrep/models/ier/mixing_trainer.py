from keras import ops

from keras_avrep.losses import multi_label_prototype_loss
from keras_avrep.models.solo_trainers import CorrespondenceTrainer


class MixingTrainer(CorrespondenceTrainer):
    """Each source of a mixture, also a quiet one, must be near its class.

    The last turn of an epoch of stage one: clips with one source are mixed, and the
    vector of each class has to be near the prototype of that class if and only if
    one of the clips is of it. Prototypes stay as they are. Only the sound's network
    moves, so far, where the rate is high, that sounds no longer fit pictures, unless
    correspondence of the clips as they are is learned beside it.

    Args:
        task: `InterferenceEraser`.
        optimizer: Keras optimiser; see `keras_avrep.training.AdamWithL2` for a lower
            rate of the network.
        mixtures: `LabelledMixtures`. Its curriculum follows this trainer's
            `batches_seen`.
        form: string. `"binary"` or `"softmax"`; see `multi_label_prototype_loss`.
            Defaults to `"binary"`.
        scale: float. Of cosines, in the loss. Defaults to 10.
        offset: float. Cosine at which a class is as likely as not. Defaults to 0.3.
        correspondence: float. Weight of the correspondence of the clips before they
            are mixed. Defaults to 0.
        **options: `pool`, `mismatch_grid`, `negatives` and `labels` of
            `CorrespondenceTrainer`.

    Reference: IEr (arXiv:2202.06406), note sections 4 and 5.
    """

    def __init__(
        self,
        task,
        optimizer,
        mixtures,
        form="binary",
        scale=10.0,
        offset=0.3,
        correspondence=0.0,
        **options,
    ):
        weights = {"identification": 1.0}
        if correspondence:
            weights["correspondence"] = correspondence
        super().__init__(
            task,
            optimizer,
            learned=[task.audio_backbone, task.audio_head, *identifier_layers(task)],
            loss_weights=weights,
            **options,
        )
        self.mixtures = mixtures
        self.loss_options = {"form": form, "scale": scale, "offset": offset}

    def make_views(self, batch):
        seen = ops.convert_to_tensor(self.batches_seen)
        mixed = self.mixtures(batch["audio"], batch["record"], seen)
        views = {"mixture": mixed["waveform"], "classes": mixed["classes"]}
        if "correspondence" in self.loss_weights:
            views |= super().make_views(batch)
        return views

    def query_forward(self, views, keys):
        heard = self.task.hear(views["mixture"], training=True)
        scores = self.task.audible_scores(self.task.expand(heard))
        outputs = {"scores": scores, "classes": views["classes"]}
        if "correspondence" in self.loss_weights:
            outputs |= super().query_forward(views, keys)
        return outputs

    def compute_losses(self, outputs, batch=None):
        losses = {
            "identification": multi_label_prototype_loss(
                outputs["scores"], outputs["classes"], **self.loss_options
            )
        }
        if "correspondence" in self.loss_weights:
            losses |= super().compute_losses(outputs)
        return losses


def identifier_layers(task):
    """The identifier of an `InterferenceEraser` as a list, empty without one."""
    return [] if task.identifier is None else [task.identifier]
