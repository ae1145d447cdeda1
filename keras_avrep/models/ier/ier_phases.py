"""When IEr learns what: single sources, mixtures of them, then any videos."""

import numpy as np
from keras import ops

from keras_avrep.models.ier.erasing_trainer import ErasingTrainer
from keras_avrep.models.ier.labelled_mixtures import LabelledMixtures
from keras_avrep.models.ier.mixing_trainer import MixingTrainer
from keras_avrep.models.solo_phases import (
    check_labels,
    cluster_objects,
    clustering_epochs,
    possible_negatives,
    solo_phases,
    solo_trainers,
)
from keras_avrep.training import AdamWithL2, Phase
from keras_avrep.views import MixCurriculum, VolumeMixer

# Where the curriculum ends, for mixtures without one.
FINAL_SHARE = 0.8


def ier_phases(
    task,
    solo,
    mixed=None,
    solo_epochs=15,
    mixed_epochs=5,
    classification_passes=3,
    mixing_passes=1,
    first_clustering=2,
    clustering_every=1,
    first_mixing=3,
    heads_only=False,
    curriculum=True,
    range_db=15.0,
    form="binary",
    learning_rate=1e-4,
    head_rate=10.0,
    shared_optimizer=False,
    mixed_rate=1.0,
    mixing_rate=0.1,
    mixing_correspondence=0.0,
    l2=1e-4,
    pool="max",
    mismatch_grid=1,
    negatives=1,
    exclude_same_cluster=False,
    direction="both",
    detach=None,
    labels=None,
    seed=0,
):
    """The phases of IEr: stage one by epochs of up to three turns, then stage two.

    An epoch of stage one fits picture and sound; finds clusters, which give labels
    and both kinds of prototypes, and learns the labels; then identifies the sources of
    mixtures. Prototypes are taken anew before that last turn, as labels have moved
    what they are means of, and stay from then on until the next clustering.

    Args:
        task: `InterferenceEraser`.
        solo: `keras_avrep.data.MomentSet` of videos with one source.
        mixed: `keras_avrep.data.MomentSet` of any videos, or `None` for stage one
            alone.
        solo_epochs: int. 0 for stage two alone, of a task that has learned stage one
            before. Defaults to 15.
        mixed_epochs: int. Passes over `mixed`. Defaults to 5.
        classification_passes: int. Passes after each clustering. Defaults to 3.
        mixing_passes: int. Passes over mixtures of `solo` an epoch; 0 for none.
            Defaults to 1.
        first_clustering: int. Epoch from which clusters are found. Defaults to 2.
        clustering_every: int. Epochs from one clustering to the next. Defaults to 1.
        first_mixing: int. Epoch from which mixtures are learned from, in those that
            find clusters. Defaults to 3.
        heads_only: bool. See `ClassificationTrainer`. Defaults to `False`.
        curriculum: bool. Whether there are more mixtures, and of more and less even
            sounds, as time goes on; without, all is as at its end from the start.
            Defaults to `True`.
        range_db: float. How far others are below the loudest, at the end of the
            curriculum; 0 for equal volumes. Defaults to 15.
        form: string. See `MixingTrainer`. Defaults to `"binary"`.
        learning_rate: float. Defaults to 1e-4.
        head_rate: float. Factor of the rate of the classifiers' heads. Defaults to 10.
        shared_optimizer: bool. Whether the networks have one optimiser for
            correspondence and classes, as in the released code, so that new clusters
            start that of the heads anew and no other. Defaults to `False`: that of
            classes is one for networks and heads, and starts anew.
        mixed_rate: float. Factor of the rate on `mixed`; below 1 where `learning_rate`
            is that of a small network that starts from nothing. Defaults to 1.
        mixing_rate: float. Factor of the rate of the sound's network on mixtures.
            Defaults to 0.1.
        mixing_correspondence: float. Weight of correspondence beside identification
            while mixtures are learned from; see `MixingTrainer`. Defaults to 0.
        l2: float. See `AdamWithL2`. Defaults to 1e-4.
        pool: string. See `CorrespondenceTrainer`. Defaults to `"max"`.
        mismatch_grid: int. Of stage two; see `CorrespondenceTrainer`. Defaults to 1.
        negatives: int. See `CorrespondenceTrainer`; never more than a batch holds
            other videos. Defaults to 1.
        exclude_same_cluster: bool. Whether two solos of one cluster are not mismatched,
            once there are clusters. Defaults to `False`.
        direction: string. See `ErasingTrainer`. Defaults to `"both"`.
        detach: `None` or `"teacher"`. See `ErasingTrainer`. Defaults to `None`.
        labels: ints, one for each record of `solo`. Classes that are known, instead of
            clusters; class k is row k of the dictionary. Defaults to `None`.
        seed: int. Of fresh heads and of mixtures. Defaults to 0.

    Returns:
        List of `keras_avrep.training.Phase`.

    Raises:
        ValueError: if a number is out of range.

    Reference: IEr (arXiv:2202.06406), note sections 2.3 and 5.
    """
    check_labels(labels, task, solo)
    clustering = []
    if solo_epochs:
        clustering = clustering_epochs(solo_epochs, first_clustering, clustering_every)
    turns = [epoch for epoch in clustering if epoch >= first_mixing]
    if (
        solo_epochs
        and mixing_passes
        and not first_clustering <= first_mixing <= solo_epochs
    ):
        raise ValueError(
            f"`first_mixing` is {first_mixing}; give a number from `first_clustering`, "
            f"{first_clustering}, to `solo_epochs`, {solo_epochs}, or "
            "`mixing_passes=0`."
        )

    def adam(rate=1.0, **factors):
        return AdamWithL2(rate * learning_rate, l2=l2, rate_factors=factors)

    fitting, classifying = solo_trainers(
        task,
        solo,
        adam,
        head_rate,
        heads_only,
        negatives,
        exclude_same_cluster,
        pool,
        shared_optimizer=shared_optimizer,
    )
    turn_steps = mixing_passes * solo.epoch_steps
    rising = None
    if curriculum and mixing_passes:
        length = max(1, len(turns) * turn_steps)
        rising = MixCurriculum(length, range_db=(0.0, range_db))
    mixtures = mixtures_of(classifying, range_db, seed, rising)
    # The first part that a path contains counts, and every path contains "".
    rates = {"identifier": 1.0, "": mixing_rate}
    mixing = MixingTrainer(
        task,
        adam(**rates),
        mixtures,
        form,
        correspondence=mixing_correspondence,
        pool=pool,
        negatives=fitting.negatives,
        labels=fitting.labels,
    )
    # Beyond the batches that the other turns see.
    before_mixing = solo_epochs * (1 + classification_passes) * solo.epoch_steps

    def refresh():
        refresh_prototypes(task, solo, ops.convert_to_numpy(classifying.labels))

    def mix(epoch):
        if not mixing_passes or epoch not in turns:
            return []
        first = before_mixing + turns.index(epoch) * turn_steps
        name = f"mixtures {epoch} of {solo_epochs}"
        return [Phase(name, mixing, solo.batches, first, turn_steps, refresh)]

    phases = solo_phases(
        solo,
        fitting,
        classifying,
        lambda: cluster_both(task, solo, labels),
        solo_epochs,
        classification_passes,
        clustering,
        seed,
        mix,
    )
    if mixed is None:
        return phases
    batches, replay = mixed.batches, None
    if task.loss_weights["identification"]:
        batches = mixed.with_replay(solo)
        replay = mixtures_of(classifying, range_db, seed + 1)
    erasing = ErasingTrainer(
        task,
        adam(mixed_rate),
        replay,
        direction,
        detach,
        form,
        pool,
        mismatch_grid,
        possible_negatives(negatives, mixed),
    )
    steps = mixed_epochs * mixed.epoch_steps

    def begin():
        # Of a task that has learned stage one in another run nobody knows the labels.
        if not solo_epochs:
            known = labels_by_dictionary(task, solo) if labels is None else labels
            classifying.labels.assign(known)
        # Without mixtures nobody has taken the prototypes of the last epoch anew.
        elif not mixing_passes:
            refresh()

    return [*phases, Phase("any videos", erasing, batches, 0, steps, begin)]


def mixtures_of(classifying, range_db, seed, curriculum=None):
    """Labelled mixtures of what a `ClassificationTrainer` has labels of."""
    mixer = VolumeMixer.ier(share=FINAL_SHARE, range_db=range_db, seed=seed)
    num_classes = classifying.task.num_classes
    return LabelledMixtures(classifying.labels, num_classes, mixer, curriculum)


def cluster_both(task, solo, labels=None):
    """Find clusters of objects, and the prototypes of the sounds that go with them.

    Args:
        task: `InterferenceEraser`.
        solo: `keras_avrep.data.MomentSet`.
        labels: as of `cluster_objects`. Defaults to `None`.

    Returns:
        int array `(num_records,)`, the cluster of each record.
    """
    ids, sounds = cluster_objects(task, solo, labels)
    task.audio_prototypes.update(sounds, ids)
    return ids


def labels_by_dictionary(task, solo):
    """The cluster of each record, by a dictionary that stays as it is.

    Args:
        task: `InterferenceEraser` that has learned stage one.
        solo: `keras_avrep.data.MomentSet`.

    Returns:
        int array `(num_records,)`.
    """
    objects, _, records = task.solo_features(solo.each_once())
    labels = np.zeros(solo.num_records, int)
    labels[records] = task.dictionary.predict(objects)
    return labels


def refresh_prototypes(task, solo, labels):
    """Take both kinds of prototypes anew, by labels that stay.

    Args:
        task: `InterferenceEraser`.
        solo: `keras_avrep.data.MomentSet`.
        labels: int array `(num_records,)`, the cluster of each record.
    """
    objects, sounds, records = task.solo_features(solo.each_once())
    # The last batch is filled up with records that came before.
    records, first = np.unique(records, return_index=True)
    task.dictionary.refresh(objects[first], labels[records])
    task.audio_prototypes.update(sounds[first], labels[records])
