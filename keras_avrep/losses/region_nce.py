from keras import ops

from keras_avrep.layers import unit_length
from keras_avrep.losses.map_in_chunks import map_in_chunks
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp


def region_nce(
    query,
    target,
    matched,
    query_mask=None,
    target_mask=None,
    temperature=0.2,
    same_video_negatives=False,
    chunks=1,
):
    """Contrast of regions: a matched region against those of all other videos.

    Gradient flows to both sides; nothing is normalised before.

    Args:
        query: tensor `(batch, regions, dim)`. What the regions of one view were
            transformed into.
        target: tensor `(batch, other regions, dim)`. Features of the other view's
            regions.
        matched: int tensor `(batch, regions)`. Number of the positive among the
            other regions of the same video.
        query_mask: bool `(batch, regions)`. Regions that count in the mean.
            Defaults to all.
        target_mask: bool `(batch, other regions)`. Regions that are negatives.
            Defaults to all, as released, padding included.
        temperature: float. Defaults to `0.2`.
        same_video_negatives: bool. Whether the other regions of the same video are
            negatives too. Defaults to `False`.
        chunks: int. Parts of the batch whose logits are held one at a time, see
            `map_in_chunks`. Defaults to `1`.

    Returns:
        float32 scalar, the mean over the regions that count, 0 without any.

    Example:
    ```python
    regions = keras.random.normal((4, 8, 16))
    region_nce(regions, regions, match_most_similar(regions, regions))
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    query, target = unit_length(query), unit_length(target)
    videos = ops.arange(ops.shape(query)[0])
    if target_mask is None:
        target_mask = ops.ones(ops.shape(target)[:2], "bool")

    def losses_of(query, matched, videos, target, target_mask):
        return _losses(
            query,
            target,
            matched,
            videos,
            target_mask,
            temperature,
            same_video_negatives,
        )

    losses = map_in_chunks(
        losses_of, (query, matched, videos), (target, target_mask), chunks
    )
    if query_mask is None:
        return ops.mean(losses)
    counted = ops.where(query_mask, losses, 0.0)
    number = ops.sum(ops.cast(query_mask, "float32"))
    return ops.sum(counted) / ops.maximum(number, 1.0)


def _losses(
    query, target, matched, videos, target_mask, temperature, same_video_negatives
):
    """The loss `(some videos, regions)` of each region of some videos.

    `query` and `matched` are of the videos whose places in the batch are `videos`;
    `target` and its mask are of the whole batch.
    """
    count, regions = query.shape[1], target.shape[1]
    some, batch = ops.shape(query)[0], ops.shape(target)[0]
    flat = ops.reshape(target, (-1, target.shape[-1]))
    logits = ops.matmul(query, ops.transpose(flat)) / temperature
    logits = ops.reshape(logits, (some, count, batch, regions))
    # (videos, 1, batch, 1) and (videos, regions, 1, other regions)
    same = videos[:, None] == ops.arange(batch)[None]
    same = same[:, None, :, None]
    own = matched[:, :, None] == ops.arange(regions, dtype=matched.dtype)
    positive = ops.logical_and(same, own[:, :, None])
    negative = target_mask[None, None]
    if not same_video_negatives:
        negative = ops.logical_and(negative, ops.logical_not(same))
    inside = ops.logical_or(positive, negative)
    masked = ops.where(inside, logits, -float("inf"))
    everything = masked_log_sum_exp(ops.reshape(masked, (some, count, batch * regions)))
    return everything - ops.sum(ops.where(positive, logits, 0.0), axis=(2, 3))
