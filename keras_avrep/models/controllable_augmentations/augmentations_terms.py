"""Which losses Controllable Augmentations has, and who is whose positive."""

from keras import ops, random

from keras_avrep.layers import time_overlap
from keras_avrep.losses import (
    in_batch_multi_positive_nce,
    soft_region_contrast,
    timestamp_retrieval,
)
from keras_avrep.models.check_arguments import check_above_zero, check_choice
from keras_avrep.models.controllable_augmentations import (
    information_minimisation,
    temporal_order_head,
)
from keras_avrep.models.loss_weights import check_loss_weights

INSTANCE = "instance"
REGION = "region"
DIFFERENCE = "region_difference"
INFORMATION = "mutual_information"
TIMESTAMP = "timestamp"
ORDER = "order"
TERMS = (INSTANCE, REGION, DIFFERENCE, INFORMATION, TIMESTAMP, ORDER)
DEFAULT_WEIGHTS = {
    INSTANCE: 0.5,
    REGION: 1.0,
    INFORMATION: 0.1,
    TIMESTAMP: 0.5,
    ORDER: 0.5,
}


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the default for `None`."""
    return check_loss_weights(loss_weights, TERMS, DEFAULT_WEIGHTS)


def check_form(order, information, target, ignore_same_video_negatives, temperature):
    """Raise if a form of a term is unknown, or asks for what there is not.

    Args:
        order: string. Form of the order term.
        information: string. Form of the term on low-level cues.
        target: string. What weights of regions are.
        ignore_same_video_negatives: bool. Whether those without weight are left out.
        temperature: float. Of the contrasts.
    """
    check_choice("order", order, temporal_order_head.FORMS)
    check_choice("information", information, information_minimisation.FORMS)
    check_above_zero(temperature=temperature)
    if ignore_same_video_negatives and target == "gaussian":
        raise ValueError(
            "`ignore_same_video_negatives` leaves out regions without weight, and with "
            '`target="gaussian"` all have some: choose another target.'
        )


def check_stages(backbone, stages):
    """Raise if the backbone lacks a stage that an argument names.

    Args:
        backbone: video backbone with `stages`.
        stages: dict from the argument's name to a list of stages.
    """
    for argument, names in stages.items():
        unknown = [name for name in names if name not in backbone.stages]
        if unknown:
            raise ValueError(
                f"`{argument}` names unknown stages {unknown}; the backbone has "
                f"{list(backbone.stages)}."
            )


def check_colours(views):
    """Raise if views change no colours, so that their record says nothing.

    Args:
        views: `ControllableAugmentationsViews`.
    """
    if not (views.gray or views.jitter or views.blur):
        raise ValueError(
            '`information="colours"` needs views that change colours; give views with '
            "`jitter`, `gray` or `blur` above 0, or another form."
        )


def instance_masks(videos, views, local_pairs):
    """Positives and negatives of every clip of a batch, the global view last.

    Args:
        videos: int or scalar tensor. Videos of the batch.
        views: int. Clips of a video, the global view included.
        local_pairs: bool. Whether local clips are positives of each other.

    Returns:
        Two bool tensors `(videos * views, videos * views)`: positives are of the
        same video, negatives of others.
    """
    place = ops.arange(videos * views)
    video, whole = place // views, place % views == views - 1
    same = video[:, None] == video[None, :]
    if local_pairs:
        chosen = place[:, None] != place[None, :]
    else:
        chosen = ops.logical_xor(whole[:, None], whole[None, :])
    return ops.logical_and(same, chosen), ops.logical_not(same)


def instance_loss(embeddings, local_pairs, temperature):
    """Contrast of the clips `(B, N + 1, dim)` of videos, the global view last."""
    videos, views = ops.shape(embeddings)[0], embeddings.shape[1]
    masks = instance_masks(videos, views, local_pairs)
    flat = ops.reshape(embeddings, (-1, embeddings.shape[-1]))
    return in_batch_multi_positive_nce(flat, *masks, temperature)


def both_ways(pairs, records):
    """Weights between the regions of local clips and of the global view.

    Args:
        pairs: from records of anchors and of others, `(B, N, 8)`, to weights
            `(B, N, R, R)` and shares `(B, N, R)`.
        records: `(B, N + 1, 8)`, the global view last.

    Returns:
        Weights and shares of the local regions, `(B, N * R, R)` and `(B, N * R)`,
        and of the global ones, `(B, R, N * R)` and `(B, R)`.
    """
    local = records[:, :-1]
    whole = ops.repeat(records[:, -1:], local.shape[1], axis=1)
    forward, forward_share = pairs(local, whole)
    backward, backward_share = pairs(whole, local)
    regions = forward.shape[-1]
    backward = ops.transpose(backward, (0, 2, 1, 3))
    return (
        ops.reshape(forward, (-1, local.shape[1] * regions, regions)),
        ops.reshape(forward_share, (-1, local.shape[1] * regions)),
        ops.reshape(backward, (-1, regions, local.shape[1] * regions)),
        # Local clips that overlap would be counted twice.
        ops.minimum(ops.sum(backward_share, axis=1), 1.0),
    )


def timestamp_losses(slots, records, weights, temperature):
    """Timestamp retrieval at several depths.

    Args:
        slots: dict from stage to embeddings of time slots `(B, N + 1, t, dim)`.
        records: `(B, N + 1, 8)`, the global view last.
        weights: dict from stage to float.
        temperature: float.

    Returns:
        float32 scalar, the weighted sum.
    """
    total = 0.0
    for stage, weight in weights.items():
        embeddings = slots[stage]

        def overlap(anchors, others, count=embeddings.shape[2]):
            return time_overlap(anchors, others, count)

        total += weight * timestamp_retrieval(
            local_rows(embeddings),
            embeddings[:, -1],
            *both_ways(overlap, records),
            temperature,
        )
    return total


def by_video(x, count):
    """Rows of clips as rows of videos, `(B, count, ...)`."""
    return ops.reshape(x, (-1, count, *x.shape[1:]))


def local_rows(x):
    """Rows of all local clips of each video, `(B, N * rows, dim)`."""
    return ops.reshape(x[:, :-1], (-1, (x.shape[1] - 1) * x.shape[2], x.shape[3]))


def over_space(feature_map):
    """A map's mean over height and width, `(batch, t, channels)`."""
    return ops.mean(ops.cast(feature_map, "float32"), axis=(2, 3))


def region_loss(
    regions, weights, predictor=None, num_negatives=None, seed=None, **options
):
    """Half of the contrast of local regions to global ones, half the other way.

    Args:
        regions: embeddings `(B, N + 1, R, dim)`, the global view last.
        weights: what `RegionOverlap` says both ways, each with its shares.
        predictor: layer that one side goes through. Defaults to `None`, none.
        num_negatives: int. Regions drawn of each other video, or `None` for all.
            Defaults to `None`.
        seed: SeedGenerator of that draw.
        **options: of `soft_region_contrast`.

    Returns:
        float32 scalar.

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.2.
    """
    forward, forward_share, backward, backward_share = weights
    predicted = regions if predictor is None else predictor(regions)
    fixed = ops.stop_gradient(regions)
    sides = (
        (local_rows(predicted), fixed[:, -1], forward, forward_share),
        (predicted[:, -1], local_rows(fixed), backward, backward_share),
    )
    losses = []
    for query, key, overlap, share in sides:
        negatives = key if num_negatives is None else drawn(key, num_negatives, seed)
        losses.append(
            soft_region_contrast(
                query, key, overlap, share, negatives=negatives, **options
            )
        )
    return sum(losses) / 2


def drawn(regions, count, seed):
    """`count` regions of each video `(B, R, dim)`, at most all, none twice."""
    order = random.uniform(ops.shape(regions)[:2], seed=seed)
    places = ops.argsort(order, axis=1)[:, :count]
    return ops.take_along_axis(regions, places[:, :, None], axis=1)
