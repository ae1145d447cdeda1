import functools

from keras import ops

from keras_avrep.layers import unit_length
from keras_avrep.losses.map_in_chunks import map_in_chunks
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp
from keras_avrep.losses.step_match import (
    interpolated_step_match,
    nearest_step_match,
    step_spacing,
    steps_within,
    time_distances,
)

# Of nothing it is -inf: such parts are summed with others.
_log_sum_exp = functools.partial(masked_log_sum_exp, empty=-float("inf"))
NEGATIVES = ("within", "across", "both")
MATCHES = {"nearest": nearest_step_match, "interpolated": interpolated_step_match}


def temporal_nce(
    short,
    long,
    short_times,
    long_times,
    negatives="both",
    temperature=0.1,
    delta=None,
    match="nearest",
    symmetric=True,
    within_rows=None,
    cross_steps=None,
    cross_offset=0,
    cross_chunks=1,
):
    """InfoNCE between the time steps of a short clip and a long one around it.

    The positive of a short step is the long step at its time; negatives are
    other long steps of the same video, of other videos, or both. Constant
    embeddings do best on `"across"`; only negatives within the video ask for
    embeddings that tell when. In the reverse direction, long steps outside the
    short clip have no positive and do not ask. A step without any negative has
    loss 0. Gradient flows to both sides.

    Args:
        short: tensor `(batch, Ts, dim)`, normalised here.
        long: tensor `(batch, Tl, dim)`, normalised here.
        short_times: tensor `(batch, Ts)`. Centres of the steps, in raw frames.
        long_times: tensor `(batch, Tl)`.
        negatives: string. `"within"` the video, `"across"` videos or `"both"`.
            Defaults to `"both"`.
        temperature: float. Defaults to `0.1`.
        delta: float. Steps of the same video that are at most this many raw
            frames away are no negatives. Defaults to `None`, half a step of the
            long clip, in both directions.
        match: string. `"nearest"` step or `"interpolated"`, the two around it as
            soft targets. Defaults to `"nearest"`.
        symmetric: bool. Whether the mean with the reverse direction is taken.
            Defaults to `True`.
        within_rows: bool tensor `(batch,)`. Videos whose own steps may be
            negatives; looped ones may not. Defaults to all.
        cross_steps: int. Steps, equally spaced, that each other video gives.
            Defaults to all.
        cross_offset: int or scalar tensor. First of those steps; a count of
            batches takes turns. Defaults to `0`.
        cross_chunks: int. Parts of the batch whose similarities to other videos
            are held one at a time, see `map_in_chunks`. Defaults to `1`.

    Returns:
        float32 scalar.

    Raises:
        ValueError: if `negatives` or `match` is unknown.

    Example:
    ```python
    long = keras.random.normal((2, 4, 8))
    times = keras.ops.array([[1.0, 3.0, 5.0, 7.0]] * 2)
    temporal_nce(long[:, 1:3], long, times[:, 1:3], times)
    ```

    Reference: note of TeG (arXiv:2112.04480), section 4.1.
    """
    if negatives not in NEGATIVES:
        raise ValueError(f"`negatives` must be one of {NEGATIVES}, got {negatives!r}.")
    if match not in MATCHES:
        raise ValueError(f"`match` must be one of {tuple(MATCHES)}, got {match!r}.")
    short, long = unit_length(short), unit_length(long)
    if delta is None:
        # The same both ways: what is pulled together one way is no negative the other.
        delta = step_spacing(long_times)[:, None, None] / 2
    options = (
        negatives, temperature, delta, match, within_rows, cross_steps, cross_offset,
        cross_chunks,
    )  # fmt: skip
    loss = ops.mean(_step_losses(short, long, short_times, long_times, *options))
    if not symmetric:
        return loss
    losses = _step_losses(long, short, long_times, short_times, *options)
    asking = steps_within(long_times, short_times)
    count = ops.maximum(ops.sum(ops.cast(asking, "float32")), 1.0)
    return 0.5 * (loss + ops.sum(ops.where(asking, losses, 0.0)) / count)


def _step_losses(
    query, key, query_times, key_times, negatives, temperature, delta, match,
    within_rows, cross_steps, cross_offset, cross_chunks,
):  # fmt: skip
    """Loss of every query step, `(batch, Tq)`."""
    targets = MATCHES[match](query_times, key_times)
    own = ops.einsum("bqd,bkd->bqk", query, key) / temperature
    positives = targets > 0
    counted, refuted = positives, ops.any(ops.zeros_like(positives), axis=-1)
    if negatives != "across":
        distance = time_distances(query_times, key_times)
        far = ops.logical_and(ops.logical_not(positives), distance > delta)
        if within_rows is not None:
            far = ops.logical_and(far, within_rows[:, None, None])
        counted = ops.logical_or(positives, far)
        refuted = ops.any(far, axis=-1)
    parts = [_log_sum_exp(own, counted)]
    if negatives != "within":
        if cross_steps is not None and cross_steps < key.shape[1]:
            key = _every_few_steps(key, cross_steps, cross_offset)
        parts.append(_other_videos(query, key, temperature, cross_chunks))
        refuted = ops.logical_or(refuted, ops.shape(query)[0] > 1)
    total = _log_sum_exp(ops.stack(parts, axis=-1))
    # Two soft targets and nothing else would still ask for something.
    return ops.where(refuted, total - ops.sum(targets * own, axis=-1), 0.0)


def _other_videos(query, key, temperature, chunks):
    """Log-sum-exps `(batch, Tq)` over the steps of other videos."""
    # As floats: what is computed again for the gradient should have one.
    numbers = ops.cast(ops.arange(ops.shape(query)[0]), "float32")

    def similar(query, own, key, numbers):
        logits = ops.einsum("bqd,ckd->bqck", query, key) / temperature
        other = own[:, None] != numbers[None]
        return _log_sum_exp(logits, other[:, None, :, None], axis=(2, 3))

    return map_in_chunks(similar, (query, numbers), (key, numbers), chunks)


def _every_few_steps(key, count, offset):
    """`count` steps of each video, equally spaced from `offset` on, around."""
    steps = key.shape[1]
    places = ops.arange(count) * steps // count
    places = (places + ops.cast(offset, places.dtype)) % steps
    return ops.take(key, places, axis=1)
