"""Numbers that tell how a contrast goes, beside its loss; nothing learns from them."""

import math

from keras import ops

from keras_avrep.layers import unit_length


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


def region_similarities(query, target, matched):
    """Mean cosines of regions with their positives and with other videos' regions.

    Args:
        query: tensor `(batch, regions, dim)`.
        target: tensor `(batch, other regions, dim)`.
        matched: int tensor `(batch, regions)`. Number of the positive among the
            other regions of the same video.

    Returns:
        Two float32 scalars; the second is 0 for a batch of one video.

    Example:
    ```python
    eye = keras.ops.eye(4)[None]
    region_similarities(eye, eye, match_same_index(eye, eye))  # 1, 0
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    query, target = unit_length(query), unit_length(target)
    own = ops.einsum("bqd,bkd->bqk", query, target)
    positive = ops.mean(ops.take_along_axis(own, matched[:, :, None], axis=2))
    # Of sums: all pairs of regions of a batch need not be held at once.
    everything = ops.sum(
        ops.sum(query, axis=(0, 1)) * ops.sum(target, axis=(0, 1))
    ) - ops.sum(own)
    videos = ops.cast(ops.shape(query)[0], "float32")
    count = videos * (videos - 1) * query.shape[1] * target.shape[1]
    return positive, everything / ops.maximum(count, 1.0)


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
