"""What is worth watching of Controllable Augmentations beside its losses."""

from keras import ops

from keras_avrep.losses import cross_view_accuracy, embedding_std, soft_region_floor
from keras_avrep.models.controllable_augmentations.augmentations_terms import (
    DIFFERENCE,
    INFORMATION,
    INSTANCE,
    REGION,
)


def statistic_names(terms):
    """Names of what `augmentations_statistics` returns for some terms."""
    floor = ("region_floor",) if {REGION, DIFFERENCE} & {*terms} else ()
    if INSTANCE in terms:
        return ("embedding_std", "cross_view_accuracy", *floor)
    if {REGION, DIFFERENCE, INFORMATION} & {*terms}:
        return ("embedding_std", *floor)
    return ()


def augmentations_statistics(outputs, instance_head=None):
    """Spread of embeddings, how often a clip finds its global view, and a floor.

    The loss of soft regions cannot fall below the entropy of its targets.

    Args:
        outputs: what `ControllableAugmentations.query_forward` returns.
        instance_head: from features to the embeddings of clips; without one the
            spread is that of the global view's regions. Defaults to `None`.

    Returns:
        Dict from the `statistic_names` to scalars.

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 8.
    """
    floor = {}
    if "weights" in outputs:
        floor["region_floor"] = _floor(*outputs["weights"])
    if instance_head is not None:
        embeddings = instance_head(outputs["features"])
        local, whole = embeddings[:, 0], embeddings[:, -1]
        return {
            "embedding_std": embedding_std(local),
            "cross_view_accuracy": cross_view_accuracy(local, whole),
            **floor,
        }
    if "regions" not in outputs:
        return {}
    regions = outputs["regions"][:, -1]
    regions = ops.reshape(regions, (-1, regions.shape[-1]))
    return {"embedding_std": embedding_std(regions), **floor}


def _floor(forward, forward_share, backward, backward_share):
    there = soft_region_floor(forward, forward_share)
    return (there + soft_region_floor(backward, backward_share)) / 2
