"""Numbers that tell how a contrast goes, beside its loss; nothing learns from them."""

import math

from keras import ops

from keras_avrep.layers import unit_length
from keras_avrep.losses.map_in_chunks import map_in_chunks


def embedding_std(embeddings):
    """Mean standard deviation of unit embeddings, relative to an even spread.

    Args:
        embeddings: tensor `(batch, dim)`, normalised here.

    Returns:
        float32 scalar, about 1 when they are spread and 0 when they are all alike.

    Example:
    ```python
    embedding_std(keras.random.normal((64, 8)))  # about 1
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 8.
    """
    spread = ops.mean(ops.std(unit_length(embeddings), axis=0))
    return spread * embeddings.shape[-1] ** 0.5


def cross_view_entropy(first, second, temperature):
    """How undecided samples are between the other views of a batch.

    Args:
        first: tensor `(batch, dim)`, normalised here.
        second: tensor `(batch, dim)`, the same samples.
        temperature: float. Of the softmax over the other views.

    Returns:
        float32 scalar, the mean entropy: 0 for certainty, 1 for none at all.

    Example:
    ```python
    alike = keras.ops.ones((4, 8))
    cross_view_entropy(alike, alike, temperature=0.1)  # 1
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    first, second = unit_length(first), unit_length(second)
    logits = ops.matmul(first, ops.transpose(second)) / temperature
    entropy = -ops.sum(ops.softmax(logits) * ops.log_softmax(logits), axis=-1)
    most = ops.log(ops.cast(ops.maximum(ops.shape(logits)[1], 2), "float32"))
    return ops.mean(entropy) / most


def matched_entropy(matched, count, counted=None):
    """How evenly positives are spread over the regions of the other view.

    Args:
        matched: int tensor `(batch, regions)`. Number of each region's positive.
        count: int. Regions of the other view.
        counted: bool tensor `(batch, regions)`. Which regions count; videos without
            any are left out. Defaults to `None`, all.

    Returns:
        float32 scalar from 0, all have the same positive, to 1.

    Example:
    ```python
    matched_entropy(keras.ops.array([[0, 1, 2, 3]]), count=4)  # 1
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 9.
    """
    weights = _weights(counted, matched)
    chosen = ops.one_hot(matched, count, dtype="float32") * weights[..., None]
    regions = ops.sum(weights, axis=1)
    usage = ops.sum(chosen, axis=1) / ops.maximum(regions, 1.0)[:, None]
    entropy = -ops.sum(usage * ops.log(ops.maximum(usage, 1e-12)), axis=-1)
    return _mean(entropy, regions > 0) / math.log(max(count, 2))


def region_similarities(
    query, target, matched, chunks=1, counted=None, target_mask=None
):
    """Cosines of regions with their positives and with the regions of other videos.

    Args:
        query: tensor `(batch, regions, dim)`.
        target: tensor `(batch, other regions, dim)`.
        matched: int tensor `(batch, regions)`. Number of the positive among the
            other regions of the same video.
        chunks: int. Parts of the batch whose pairs are held one at a time, see
            `map_in_chunks`. Defaults to `1`.
        counted: bool tensor `(batch, regions)`. Which regions count; not padding.
            Defaults to `None`, all.
        target_mask: bool tensor `(batch, other regions)`, likewise.

    Returns:
        Dict of float32 scalars: `positive_similarity` and `negative_similarity`, the
        means, and each with `_min` and `_max` behind it; 0 where there is no pair, as
        of other videos in a batch of one.

    Example:
    ```python
    eye = keras.ops.eye(4)[None]
    found = region_similarities(eye, eye, match_same_index(eye, eye))
    found["positive_similarity"], found["negative_similarity"]  # 1, 0
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    query, target = unit_length(query), unit_length(target)
    weights = _weights(counted, query[..., 0])
    others = _weights(target_mask, target[..., 0])
    own = ops.einsum("bqd,bkd->bqk", query, target)
    positive = ops.take_along_axis(own, matched[:, :, None], axis=2)[..., 0]
    there = ops.take_along_axis(others, matched, axis=1)
    numbers = ops.arange(ops.shape(query)[0])
    rows = map_in_chunks(
        _over_other_videos,
        (query, numbers, weights),
        (target, numbers, others),
        chunks,
    )
    pairs = ops.sum(rows[:, 1])
    some = ops.cast(pairs > 0, "float32")
    return {
        **_extremes("positive_similarity", positive, weights * there > 0),
        "negative_similarity": ops.sum(rows[:, 0]) / ops.maximum(pairs, 1.0),
        "negative_similarity_min": some * ops.min(rows[:, 2]),
        "negative_similarity_max": some * ops.max(rows[:, 3]),
    }


def _weights(mask, like):
    """A mask as float32, all ones for `None`."""
    if mask is None:
        return ops.ones_like(ops.cast(like, "float32"))
    return ops.cast(mask, "float32")


def _mean(values, mask):
    """Mean of the values that a mask leaves, 0 of none."""
    mask = ops.cast(mask, "float32")
    return ops.sum(values * mask) / ops.maximum(ops.sum(mask), 1.0)


def _extremes(name, cosines, mask):
    """Mean, least and largest of the cosines that a mask leaves, 0 of none."""
    some = ops.cast(ops.any(mask), "float32")
    # A cosine is from -1 to 1.
    return {
        name: _mean(cosines, mask),
        f"{name}_min": some * ops.min(ops.where(mask, cosines, 1.0)),
        f"{name}_max": some * ops.max(ops.where(mask, cosines, -1.0)),
    }


def _over_other_videos(query, numbers, weights, target, all_numbers, others):
    """Sum, number, least and largest of cosines with other videos, `(videos, 4)`."""
    cosines = ops.einsum("iqd,jkd->iqjk", query, target)
    other = (numbers[:, None] != all_numbers[None])[:, None, :, None]
    real = weights[:, :, None, None] * others[None, None] > 0
    pairs = ops.logical_and(other, real)
    axes = (1, 2, 3)
    total = ops.sum(ops.where(pairs, cosines, 0.0), axis=axes)
    count = ops.sum(ops.cast(pairs, "float32"), axis=axes)
    least = ops.min(ops.where(pairs, cosines, 1.0), axis=axes)
    largest = ops.max(ops.where(pairs, cosines, -1.0), axis=axes)
    return ops.stack([total, count, least, largest], axis=-1)


def step_accuracy(query, key, targets):
    """Share of steps whose most similar step of the other clip is one of the right.

    Args:
        query: tensor `(batch, Tq, dim)`.
        key: tensor `(batch, Tk, dim)`, of the same videos.
        targets: tensor `(batch, Tq, Tk)`, positive where steps correspond; see
            `nearest_step_match`.

    Returns:
        float32 scalar in [0, 1].

    Example:
    ```python
    eye = keras.ops.eye(4)[None]
    step_accuracy(eye, eye, eye)  # 1
    ```

    Reference: note of TeG (arXiv:2112.04480), section 8.
    """
    similarity = ops.einsum("bqd,bkd->bqk", unit_length(query), unit_length(key))
    found = ops.argmax(similarity, axis=-1)
    right = ops.take_along_axis(targets, found[:, :, None], axis=2) > 0
    return ops.mean(ops.cast(right, "float32"))


def usage_perplexity(logits, temperature):
    """How many concepts, in effect, the samples of a batch use between them.

    Args:
        logits: tensor `(batch, concepts)`.
        temperature: float. Of the softmax over concepts.

    Returns:
        float32 scalar from 1, all samples use one concept, to the number of
        concepts.

    Example:
    ```python
    usage_perplexity(10 * keras.ops.eye(4), temperature=0.1)  # 4
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 8.
    """
    shares = ops.softmax(ops.cast(logits, "float32") / temperature, axis=-1)
    usage = ops.mean(shares, axis=0)
    return ops.exp(-ops.sum(usage * ops.log(ops.maximum(usage, 1e-12))))
