from keras import ops


def strongest_concepts(logits, top=10):
    """Which concepts of a clip are stronger than its `top`-th strongest one.

    Args:
        logits: tensor `(..., concepts)`.
        top: int or `None` for all concepts. Strictly stronger: without ties
            `top - 1` remain. Defaults to `10`.

    Returns:
        Bool tensor of the logits' shape.

    Example:
    ```python
    strongest_concepts(keras.ops.arange(5), top=3)  # the last two
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.5.
    """
    if top is None or top >= logits.shape[-1]:
        return ops.ones_like(logits, dtype="bool")
    return logits > ops.top_k(logits, top)[0][..., -1:]


def local_concept_contrast(features, logits, top=10, margin=1.4):
    """Contrast of the same concept in two clips against it in other videos.

    Only concepts that are strong in both clips count. A pair's distance goes to
    zero, that to other videos above the margin; no gradient flows to the other
    side.

    Args:
        features: unit-norm tensor `(batch, 2, concepts, dim)`. The feature that
            each concept gathers from each clip.
        logits: tensor `(batch, 2, concepts)`. How strong it is there.
        top: int or `None`. See `strongest_concepts`. Defaults to `10`.
        margin: float. Defaults to `1.4`, the distance at a cosine of 0.02.

    Returns:
        float32 scalar.

    Example:
    ```python
    features = keras.ops.normalize(keras.random.normal((4, 2, 16, 8)))
    local_concept_contrast(features, keras.random.normal((4, 2, 16)))
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.5.
    """
    features = ops.cast(features, "float32")
    strong = strongest_concepts(ops.stop_gradient(ops.cast(logits, "float32")), top)
    weights = ops.cast(ops.logical_and(strong[:, 0], strong[:, 1]), "float32")
    videos = ops.arange(ops.shape(features)[0])
    same = ops.cast(videos[:, None] == videos[None], "float32")[:, :, None]
    others = ops.maximum(ops.sum(1 - same[0]), 1.0)
    total = 0.0
    for own, other in ((0, 1), (1, 0)):
        fixed = ops.stop_gradient(features[:, other])
        cosines = ops.einsum("bnc,pnc->bpn", features[:, own], fixed)
        squared = ops.maximum(2 - 2 * cosines, 0.0) + 1e-5
        # The square itself for the pair: its root has a steep gradient there.
        pulled = ops.sum(same * squared, axis=1)
        pushed = ops.square(ops.relu(margin - ops.sqrt(squared)))
        pushed = ops.sum((1 - same) * pushed, axis=1) / others
        total += ops.sum(weights * (pulled + pushed))
    return total / (1 + 2 * ops.sum(weights))
