from keras import ops

from keras_avrep.losses import multi_label_prototype_loss
from keras_avrep.training import PhaseTrainer


class MixingTrainer(PhaseTrainer):
    """Each source of a mixture, also a quiet one, must be near its class.

    The last turn of an epoch of stage one: clips with one source are mixed, and the
    vector of each class has to be near the prototype of that class if and only if
    one of the clips is of it. Prototypes stay as they are.

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

    Reference: IEr (arXiv:2202.06406), note sections 4 and 5.
    """

    def __init__(
        self, task, optimizer, mixtures, form="binary", scale=10.0, offset=0.3
    ):
        learned = [task.audio_backbone, task.audio_head, *identifier_layers(task)]
        super().__init__(task, learned, {"identification": 1.0}, optimizer)
        self.mixtures = mixtures
        self.loss_options = {"form": form, "scale": scale, "offset": offset}

    def make_views(self, batch):
        seen = ops.convert_to_tensor(self.batches_seen)
        return self.mixtures(batch["audio"], batch["record"], seen)

    def query_forward(self, views, keys):
        heard = self.task.hear(views["waveform"], training=True)
        scores = self.task.audible_scores(self.task.expand(heard))
        return {"scores": scores, "classes": views["classes"]}

    def compute_losses(self, outputs, batch=None):
        loss = multi_label_prototype_loss(
            outputs["scores"], outputs["classes"], **self.loss_options
        )
        return {"identification": loss}


def identifier_layers(task):
    """The identifier of an `InterferenceEraser` as a list, empty without one."""
    return [] if task.identifier is None else [task.identifier]
