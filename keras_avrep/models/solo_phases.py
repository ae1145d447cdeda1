"""When localisers learn from clips with one source: epochs that take turns."""

import numpy as np

from keras_avrep.models.solo_trainers import (
    ClassificationTrainer,
    CorrespondenceTrainer,
)
from keras_avrep.training import Phase


def possible_negatives(negatives, moments):
    """How many sounds of other videos a picture can be mismatched with.

    Args:
        negatives: int. How many are asked for.
        moments: `keras_avrep.data.MomentSet`, whose batches they come from.

    Returns:
        int: as asked for, or all others of a batch.

    Raises:
        ValueError: if a batch holds no other video.
    """
    if moments.batch_size < 2:
        raise ValueError(
            "A batch of one video holds no sound of another; give 2 videos or more, "
            "and a batch size of 2 or more."
        )
    return min(negatives, moments.batch_size - 1)


def solo_trainers(
    task,
    solo,
    adam,
    head_rate,
    heads_only,
    negatives,
    exclude_same_cluster,
    pool="max",
    shared_optimizer=False,
):
    """Both trainers of single sources, which may share the labels of clusters.

    Args:
        task: `LocalisationTask`.
        solo: `keras_avrep.data.MomentSet` of videos with one source.
        adam: called with factors of the rate by name; returns an optimiser.
        head_rate: float. Factor of the rate of the classifiers' heads.
        heads_only: bool. See `ClassificationTrainer`.
        negatives: int. See `CorrespondenceTrainer`; as many as a batch holds.
        exclude_same_cluster: bool. Whether two of one cluster are not mismatched.
        pool: string. See `CorrespondenceTrainer`. Defaults to `"max"`.
        shared_optimizer: bool. Whether both trainers have one optimiser of the
            networks, and the heads one of their own. Defaults to `False`.

    Returns:
        `CorrespondenceTrainer` and `ClassificationTrainer`.
    """
    networks = adam()
    if shared_optimizer:
        classifying = ClassificationTrainer(
            task, networks, solo.num_records, heads_only, adam(head_rate)
        )
    else:
        classifying = ClassificationTrainer(
            task, adam(classifier=head_rate), solo.num_records, heads_only
        )
    labels = classifying.labels if exclude_same_cluster else None
    negatives = possible_negatives(negatives, solo)
    fitting = CorrespondenceTrainer(
        task, networks, pool, negatives=negatives, labels=labels
    )
    # For what correspondence learns, of which classes learn no more than a part.
    networks.build(fitting.trainable_variables)
    return fitting, classifying


def solo_phases(
    solo,
    fitting,
    classifying,
    cluster,
    epochs,
    passes,
    clustering,
    seed,
    last_turn=None,
):
    """What localisers learn from single sources: epochs that take turns.

    Each epoch is a pass of correspondence; after some of them clusters are found and
    then learned by fresh heads.

    Args:
        solo: `keras_avrep.data.MomentSet`.
        fitting: `CorrespondenceTrainer`.
        classifying: `ClassificationTrainer`.
        cluster: called without arguments; returns the label of each record.
        epochs: int.
        passes: int. Of classification after each clustering.
        clustering: list of the epochs with clusters; see `clustering_epochs`.
        seed: int. Of fresh heads.
        last_turn: called with the number of an epoch, from 1, that finds clusters;
            returns the phases it ends with. Defaults to `None`, none.

    Returns:
        List of `keras_avrep.training.Phase`.

    Raises:
        ValueError: if a number is out of range.

    Reference: CSOL (arXiv:2112.11749), note section 5.
    """
    if passes < 1:
        raise ValueError(f"`classification_passes` is {passes}; give 1 or more.")
    steps = solo.epoch_steps
    phases = []
    for epoch in range(epochs):
        name = f"correspondence {epoch + 1} of {epochs}"
        phases.append(Phase(name, fitting, solo.batches, epoch * steps, steps))
        if epoch + 1 not in clustering:
            continue

        def begin(epoch=epoch):
            classifying.start_anew(cluster(), seed + 2 * epoch)

        # Beyond the batches that correspondence sees.
        first = (epochs + epoch * passes) * steps
        name = f"clusters and classes {epoch + 1} of {epochs}"
        phases.append(
            Phase(name, classifying, solo.batches, first, passes * steps, begin)
        )
        if last_turn is not None:
            phases += last_turn(epoch + 1)
    return phases


def clustering_epochs(epochs, first, every):
    """The epochs that find clusters: from `first` on, and always the last one.

    Args:
        epochs: int.
        first: int. Number of an epoch, from 1.
        every: int. Epochs from one to the next.

    Returns:
        List of numbers, from 1.

    Raises:
        ValueError: if a number is out of range.

    Example:
    ```python
    clustering_epochs(6, first=2, every=3)  # [2, 5, 6]
    ```
    """
    if not 1 <= first <= epochs:
        raise ValueError(
            f"`first_clustering` is {first}; give a number from 1 to `solo_epochs`, "
            f"which is {epochs}."
        )
    if every < 1:
        raise ValueError(f"`clustering_every` is {every}; give 1 or more.")
    return sorted({*range(first, epochs + 1, every), epochs})


def check_labels(labels, task, solo):
    """Raise if known classes do not fit the records or the dictionary.

    Args:
        labels: ints, the class of each record, or `None`.
        task: `LocalisationTask`.
        solo: `keras_avrep.data.MomentSet`.
    """
    if labels is None:
        return
    labels = np.asarray(labels)
    if labels.shape != (solo.num_records,):
        raise ValueError(
            f"`labels` has the shape {labels.shape}; give one for each of the "
            f"{solo.num_records} records."
        )
    if labels.min() < 0 or labels.max() >= task.num_classes:
        raise ValueError(
            f"`labels` reach from {labels.min()} to {labels.max()}; the model has the "
            f"classes 0 to {task.num_classes - 1}."
        )


def cluster_objects(task, solo, labels=None):
    """Find the dictionary of a task anew, from clips with one source.

    Args:
        task: `LocalisationTask`.
        solo: `keras_avrep.data.MomentSet`.
        labels: int array `(num_records,)`. The class of each record where classes are
            known: nothing is clustered then. Defaults to `None`.

    Returns:
        int array `(num_records,)`, the cluster of each record, and the features of
        sounds `(num_records, C)`.
    """
    objects, sounds, records = task.solo_features(solo.each_once())
    # The last batch is filled up with records that came before.
    records, first = np.unique(records, return_index=True)
    if labels is None:
        ids = np.zeros(solo.num_records, int)
        ids[records] = task.dictionary.fit(objects[first])
    else:
        ids = np.asarray(labels, int)
        task.dictionary.refresh(objects[first], ids[records])
    vectors = np.zeros((solo.num_records, sounds.shape[1]), sounds.dtype)
    vectors[records] = sounds[first]
    return ids, vectors
