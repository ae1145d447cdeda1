"""When CSOL learns what: correspondence and clusters in turn, then mixtures."""

from keras_avrep.models.csol.mixture_trainer import MixtureTrainer
from keras_avrep.models.solo_phases import (
    check_labels,
    cluster_objects,
    clustering_epochs,
    possible_negatives,
    solo_phases,
    solo_trainers,
)
from keras_avrep.training import AdamWithL2, Phase


def csol_phases(
    task,
    solo,
    mixed=None,
    solo_epochs=15,
    mixed_epochs=5,
    warm_up_epochs=0,
    classification_passes=3,
    first_clustering=2,
    clustering_every=1,
    heads_only=False,
    learning_rate=1e-4,
    head_rate=10.0,
    shared_optimizer=True,
    mixed_rate=1.0,
    l2=1e-4,
    mismatch_grid=1,
    negatives=1,
    exclude_same_cluster=False,
    category="divergence",
    temperature=1.0,
    seen_temperature=1.0,
    direction="target",
    divide_by_classes=True,
    labels=None,
    seed=0,
):
    """The phases of CSOL: stage one by epochs, then stage two.

    Args:
        task: `CSOL`.
        solo: `keras_avrep.data.MomentSet` of videos with one source.
        mixed: `keras_avrep.data.MomentSet` of videos with several, or `None` for stage
            one alone.
        solo_epochs: int. Passes of correspondence over `solo`; 0 for stage two alone,
            of a task that has learned stage one before. Defaults to 15.
        mixed_epochs: int. Passes over `mixed`. Defaults to 5.
        warm_up_epochs: int. Passes over `mixed` before, with the category term alone
            and without the gate. Defaults to 0.
        classification_passes: int. Passes of classification after each clustering.
            Defaults to 3.
        first_clustering: int. Epoch from which clusters are found; `solo_epochs` finds
            them once, at the end, so nothing takes turns. Defaults to 2.
        clustering_every: int. Epochs from one clustering to the next; more than one
            where an epoch is short, as of a few hundred videos. Defaults to 1.
        heads_only: bool. Whether classification learns nothing but its heads: clusters
            then come of correspondence alone. Defaults to `False`.
        learning_rate: float. Defaults to 1e-4.
        head_rate: float. Factor of the rate of the classifiers' heads. Defaults to 10.
        shared_optimizer: bool. Whether the networks have one optimiser for
            correspondence and classes, as in the released code, so that new clusters
            start that of the heads anew and no other. Else that of classes is one for
            networks and heads, and starts anew. Defaults to `True`.
        mixed_rate: float. Factor of the rate on `mixed`; below 1 where `learning_rate`
            is that of a small network that starts from nothing. Defaults to 1.
        l2: float. See `AdamWithL2`. Defaults to 1e-4.
        mismatch_grid: int. Of stage two; see `MixtureTrainer`. Defaults to 1.
        negatives: int. See `CorrespondenceTrainer`; never more than a batch holds
            other videos. Defaults to 1.
        exclude_same_cluster: bool. Whether two solos of one cluster are not mismatched,
            once there are clusters. Defaults to `False`.
        category: string. See `MixtureTrainer`. Defaults to `"divergence"`.
        temperature: float. See `MixtureTrainer`. Defaults to 1.
        seen_temperature: float. See `MixtureTrainer`. Defaults to 1.
        direction: string. See `MixtureTrainer`. Defaults to `"target"`.
        divide_by_classes: bool. See `MixtureTrainer`. Defaults to `True`.
        labels: ints, one for each record of `solo`. Classes that are known, instead of
            clusters; class k is row k of the dictionary. Defaults to `None`.
        seed: int. Of the fresh heads. Defaults to 0.

    Returns:
        List of `keras_avrep.training.Phase`.

    Raises:
        ValueError: if a number is out of range.

    Reference: CSOL (arXiv:2112.11749), note section 5.
    """

    check_labels(labels, task, solo)

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
        shared_optimizer=shared_optimizer,
    )
    phases = []
    if solo_epochs:
        phases = solo_phases(
            solo,
            fitting,
            classifying,
            lambda: cluster_objects(task, solo, labels)[0],
            solo_epochs,
            classification_passes,
            clustering_epochs(solo_epochs, first_clustering, clustering_every),
            seed,
        )
    if mixed is None:
        return phases
    options = {
        "mismatch_grid": mismatch_grid,
        "negatives": possible_negatives(negatives, mixed),
        "category": category,
        "temperature": temperature,
        "seen_temperature": seen_temperature,
        "direction": direction,
        "divide_by_classes": divide_by_classes,
    }
    learning = MixtureTrainer(task, adam(mixed_rate), **options)
    stages = [("mixtures", learning, mixed_epochs)]
    if warm_up_epochs:
        alone = {"category": 1.0, "correspondence": 0.0}
        warming = MixtureTrainer(
            task,
            adam(mixed_rate),
            loss_weights=alone,
            teacher=learning.teacher,
            gated=False,
            **options,
        )
        stages.insert(0, ("warm-up on mixtures", warming, warm_up_epochs))
    first, before = 0, learning.freeze_teacher
    for name, trainer, epochs in stages:
        steps = epochs * mixed.epoch_steps
        phases.append(Phase(name, trainer, mixed.batches, first, steps, before))
        first, before = first + steps, None
    return phases
