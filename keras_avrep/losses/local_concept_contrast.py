from keras import ops

from keras_avrep.losses.map_in_chunks import map_in_chunks

EPSILON = 1e-5


def local_concept_contrast(
    first, second, first_mask, second_mask, margin=1.4, chunks=1
):
    """Contrast of local features of one concept, between clips and videos.

    For a concept that both clips of a video activate, its local features in the
    two are pulled together, and its local features in other videos are pushed
    away up to a margin. Both clips take the part of the query; no gradient flows
    to the other one.

    Args:
        first: unit-norm tensor `(batch, concepts, dim)`, of the first clips.
        second: unit-norm tensor `(batch, concepts, dim)`, of the second clips.
        first_mask: float tensor `(batch, concepts)`, 1 for active concepts.
        second_mask: float tensor `(batch, concepts)`.
        margin: float. Distance up to which negatives are pushed away; 1.4 is a
            cosine of 0.02. Defaults to `1.4`.
        chunks: int. Parts of the batch whose distances to all videos are held one at
            a time, see `map_in_chunks`. Defaults to `1`.

    Returns:
        float32 scalar; 0 where no concept is active in both clips.

    Example:
    ```python
    local = keras.ops.normalize(keras.random.normal((4, 6, 8)), axis=-1)
    mask = keras.ops.ones((4, 6))
    local_concept_contrast(local, local, mask, mask)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 4.5.
    """
    first, second = (ops.cast(x, "float32") for x in (first, second))
    weights = ops.cast(first_mask, "float32") * ops.cast(second_mask, "float32")
    total = _one_way(first, second, weights, margin, chunks)
    total = total + _one_way(second, first, weights, margin, chunks)
    return total / (1.0 + 2.0 * ops.sum(weights))


def _one_way(query, key, weights, margin, chunks):
    key = ops.stop_gradient(key)
    cosine = ops.sum(query * key, axis=-1)
    # Without a root: its slope is steep where features are alike.
    pulled = ops.sum(weights * (2.0 - 2.0 * cosine + EPSILON))
    numbers = ops.arange(ops.shape(query)[0])

    def pushed(query, numbers, key, all_numbers):
        """Sums over other videos, `(videos, concepts)`."""
        cosines = ops.einsum("ikd,jkd->ikj", query, key)
        squared = ops.maximum(2.0 - 2.0 * cosines, 0.0) + EPSILON
        near = ops.square(ops.relu(margin - ops.sqrt(squared)))
        own = numbers[:, None, None] == all_numbers[None, None]
        return ops.sum(ops.where(own, 0.0, near), axis=-1)

    rows = map_in_chunks(pushed, (query, numbers), (key, numbers), chunks)
    others = ops.maximum(ops.cast(ops.shape(query)[0], "float32") - 1.0, 1.0)
    return pulled + ops.sum(weights * rows) / others
