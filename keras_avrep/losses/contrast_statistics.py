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


def matched_entropy(matched, count):
    """How evenly positives are spread over the regions of the other view.

    Args:
        matched: int tensor `(batch, regions)`. Number of each region's positive.
        count: int. Regions of the other view.

    Returns:
        float32 scalar from 0, all have the same positive, to 1.

    Example:
    ```python
    matched_entropy(keras.ops.array([[0, 1, 2, 3]]), count=4)  # 1
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 9.
    """
    usage = ops.mean(ops.one_hot(matched, count, dtype="float32"), axis=1)
    entropy = -ops.sum(usage * ops.log(ops.maximum(usage, 1e-12)), axis=-1)
    return ops.mean(entropy) / math.log(max(count, 2))


def region_similarities(query, target, matched, chunks=1):
    """Cosines of regions with their positives and with the regions of other videos.

    Args:
        query: tensor `(batch, regions, dim)`.
        target: tensor `(batch, other regions, dim)`.
        matched: int tensor `(batch, regions)`. Number of the positive among the
            other regions of the same video.
        chunks: int. Parts of the batch whose pairs are held one at a time, see
            `map_in_chunks`. Defaults to `1`.

    Returns:
        Dict of float32 scalars: `positive_similarity` and `negative_similarity`, the
        means, and each with `_min` and `_max` behind it. Those of negatives are 0 for
        a batch of one video.

    Example:
    ```python
    eye = keras.ops.eye(4)[None]
    found = region_similarities(eye, eye, match_same_index(eye, eye))
    found["positive_similarity"], found["negative_similarity"]  # 1, 0
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    query, target = unit_length(query), unit_length(target)
    own = ops.einsum("bqd,bkd->bqk", query, target)
    positive = ops.take_along_axis(own, matched[:, :, None], axis=2)
    batch = ops.shape(query)[0]
    numbers = ops.arange(batch)
    rows = map_in_chunks(
        _over_other_videos, (query, numbers), (target, numbers), chunks
    )
    some = ops.cast(batch > 1, "float32")
    return {
        "positive_similarity": ops.mean(positive),
        "positive_similarity_min": ops.min(positive),
        "positive_similarity_max": ops.max(positive),
        "negative_similarity": some * ops.mean(rows[:, 0]),
        "negative_similarity_min": some * ops.min(rows[:, 1]),
        "negative_similarity_max": some * ops.max(rows[:, 2]),
    }


def _over_other_videos(query, numbers, target, all_numbers):
    """Mean, least and largest cosine with other videos' regions, `(videos, 3)`."""
    cosines = ops.einsum("iqd,jkd->iqjk", query, target)
    other = (numbers[:, None] != all_numbers[None])[:, None, :, None]
    count = (ops.shape(target)[0] - 1) * query.shape[1] * target.shape[1]
    total = ops.sum(ops.where(other, cosines, 0.0), axis=(1, 2, 3))
    # A cosine is from -1 to 1.
    least = ops.min(ops.where(other, cosines, 1.0), axis=(1, 2, 3))
    largest = ops.max(ops.where(other, cosines, -1.0), axis=(1, 2, 3))
    mean = total / ops.cast(ops.maximum(count, 1), "float32")
    return ops.stack([mean, least, largest], axis=-1)


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
