"""What localisers learn from clips with one source: that it fits, and what it is."""

import keras
from keras import ops

from keras_avrep.layers import MapMatchScore
from keras_avrep.losses import correspondence
from keras_avrep.training import PhaseTrainer


class CorrespondenceTrainer(PhaseTrainer):
    """Picture and sound of one video fit somewhere; those of two fit nowhere.

    Args:
        task: `LocalisationTask`.
        optimizer: Keras optimiser.
        pool: string. `"max"` or `"mean"` of the map. Defaults to `"max"`.
        mismatch_grid: int. Parts a side of a mismatched picture that must each be
            quiet; see `MapMatchScore`. Defaults to 1.
        negatives: int. Sounds of other videos of the batch that each picture is
            mismatched with. Defaults to 1.
        learned: list of layers. Defaults to `None`, all that the map is made by.
        loss_weights: dict from loss name to float. Defaults to `None`, 1.
        labels: int variable `(num_records,)`, the cluster of each video, as of
            `ClassificationTrainer`: two of one cluster are not mismatched. Defaults to
            `None`, any two are.

    Reference: CSOL (arXiv:2112.11749), note section 4.
    """

    def __init__(
        self,
        task,
        optimizer,
        pool="max",
        mismatch_grid=1,
        negatives=1,
        learned=None,
        loss_weights=None,
        labels=None,
    ):
        if negatives < 1:
            raise ValueError(f"`negatives` is {negatives}; give 1 or more.")
        super().__init__(
            task,
            correspondence_layers(task) if learned is None else learned,
            {"correspondence": 1.0} if loss_weights is None else loss_weights,
            optimizer,
        )
        self.matched_score = MapMatchScore(1, pool)
        self.mismatched_score = MapMatchScore(mismatch_grid, pool)
        self.negatives = negatives
        self.labels = labels

    def make_views(self, batch):
        views = {"frame": self.task.views(batch["frame"]), "waveform": batch["audio"]}
        if self.labels is not None:
            views["label"] = labels_of(self.labels, batch["record"])
        return views

    def query_forward(self, views, keys):
        outputs = self.perceive(views)
        if self.labels is not None:
            outputs["counted"] = self.of_other_clusters(views["label"])
        return outputs

    def of_other_clusters(self, labels):
        """Which scores of `mismatched` are of two clusters, `(B, n)`; all, as long as
        there are no clusters."""
        columns = []
        for distance in range(1, self.negatives + 1):
            same = ops.equal(labels, ops.roll(labels, distance))
            differ = ops.logical_or(ops.logical_not(same), labels < 0)
            columns.append(ops.cast(differ, "float32")[:, None])
        # A score for each part of a picture.
        return ops.repeat(
            ops.concatenate(columns, axis=1), self.mismatched_score.grid**2, axis=1
        )

    def perceive(self, views):
        """What is seen and heard, where it fits, and the scores of both pairings."""
        seen = self.task.see(views["frame"], training=True)
        heard = self.task.hear(views["waveform"], training=True)
        fits = self.task.av_map(seen["embedding"], heard["embedding"])
        return {
            "seen": seen,
            "heard": heard,
            "fits": fits,
            "matched": self.matched_score(fits),
            "mismatched": self.mismatched(seen["embedding"], heard["embedding"]),
        }

    def mismatched(self, seen, heard):
        """Scores `(B, n)` of pictures with sounds of other videos."""
        scores = []
        for distance in range(1, self.negatives + 1):
            # A batch holds a video once: its neighbours' sounds are others'.
            other = ops.roll(heard, distance, axis=0)
            scores.append(self.mismatched_score(self.task.av_map(seen, other)))
        return ops.concatenate(scores, axis=1)

    def compute_losses(self, outputs, batch=None):
        loss = correspondence(
            outputs["matched"], outputs["mismatched"], counted=outputs.get("counted")
        )
        return {"correspondence": loss}


class ClassificationTrainer(PhaseTrainer):
    """Picture and sound of a clip belong to the cluster of its object.

    Args:
        task: `LocalisationTask`.
        optimizer: Keras optimiser; see `keras_avrep.training.AdamWithL2` for a higher
            rate of the heads.
        num_records: int. Videos with one source.
        heads_only: bool. Whether the heads alone are learned, so that clusters come
            of correspondence alone. Defaults to `False`.
        head_optimizer: Keras optimiser of the heads alone; `optimizer` is that of the
            networks then, and goes on when clusters are new. Defaults to `None`, one
            for both, which starts anew with them.

    Attributes:
        labels: int32 variable `(num_records,)`, the cluster of each; -1 before the
            first clustering.

    Reference: CSOL (arXiv:2112.11749), note sections 4 and 5.
    """

    def __init__(
        self, task, optimizer, num_records, heads_only=False, head_optimizer=None
    ):
        learned = [task.image_classifier, task.audio_classifier]
        if head_optimizer is not None:
            of_heads = {id(v) for head in learned for v in head.trainable_variables}
            networks = optimizer
            optimizer = keras.optimizers.MultiOptimizer(
                lambda v: head_optimizer if id(v) in of_heads else networks
            )
        if not heads_only:
            learned += [task.backbone, task.audio_backbone]
            if task.object_space == "embedding":
                learned += [task.image_head, task.audio_head]
        super().__init__(
            task,
            learned,
            {"image_class": 1.0, "audio_class": 1.0},
            optimizer,
        )
        self.head_optimizer = head_optimizer
        self.labels = self.add_weight(
            name="labels",
            shape=(num_records,),
            initializer=keras.initializers.Constant(-1),
            dtype="int32",
            trainable=False,
        )

    def make_views(self, batch):
        return {
            "frame": self.task.views(batch["frame"]),
            "waveform": batch["audio"],
            "label": labels_of(self.labels, batch["record"]),
        }

    def query_forward(self, views, keys):
        space = self.task.object_space
        seen = self.task.see(views["frame"], training=True)[space]
        heard = self.task.hear(views["waveform"], training=True)[space]
        seen = ops.mean(ops.cast(seen, "float32"), axis=(1, 2))
        return {
            "image": self.task.image_classifier(seen),
            "audio": self.task.audio_classifier(heard),
            "label": views["label"],
        }

    def compute_losses(self, outputs, batch=None):
        losses = {
            f"{kind}_class": keras.losses.sparse_categorical_crossentropy(
                outputs["label"], outputs[kind], from_logits=True
            )
            for kind in ("image", "audio")
        }
        return {name: ops.mean(loss) for name, loss in losses.items()}

    def start_anew(self, labels, seed):
        """Take new labels, with fresh heads and a fresh optimiser of theirs.

        Args:
            labels: N ints.
            seed: int. Of the heads' first weights.
        """
        self.labels.assign(labels)
        heads = (self.task.image_classifier, self.task.audio_classifier)
        for number, head in enumerate(heads):
            draw = keras.initializers.RandomNormal(stddev=0.01, seed=seed + number)
            head.kernel.assign(draw(head.kernel.shape))
            head.bias.assign(ops.zeros(head.bias.shape))
        self.restart_optimizer(self.head_optimizer)


def labels_of(labels, records):
    """The labels `(B,)` of a batch of records, from those of all."""
    return ops.take(ops.convert_to_tensor(labels), ops.cast(records, "int32"), axis=0)


def correspondence_layers(task):
    """The layers of a `LocalisationTask` that its map is made by."""
    return [
        task.backbone,
        task.audio_backbone,
        task.image_head,
        task.audio_head,
        task.av_map,
    ]
