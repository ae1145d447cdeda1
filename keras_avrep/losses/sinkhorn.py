from keras import ops


def sinkhorn_codes(scores, valid=None, epsilon=0.05, iterations=3):
    """Soft assignments of samples to concepts that use every concept alike.

    Args:
        scores: tensor `(samples, concepts)`, cosines.
        valid: bool tensor `(samples,)`. Samples that count; the others get
            zeros. Defaults to all.
        epsilon: float. Smaller is sharper. Defaults to `0.05`.
        iterations: int. Defaults to `3`.

    Returns:
        float32 tensor `(samples, concepts)` without gradient; each row of a
        valid sample sums to one.

    Example:
    ```python
    sinkhorn_codes(keras.random.uniform((8, 4)))
    ```

    Reference: SwAV, arXiv:2006.09882; note of Static and Dynamic Concepts
    (arXiv:2207.12795), section 4.2.
    """
    scores = ops.stop_gradient(ops.cast(scores, "float32"))
    samples, concepts = ops.shape(scores)[0], scores.shape[1]
    if valid is None:
        valid = ops.ones((samples,), "bool")
    column = valid[:, None]
    largest = ops.max(ops.where(column, scores, -float("inf")))
    shares = ops.where(column, ops.exp((scores - largest) / epsilon), 0.0)
    count = ops.sum(ops.cast(valid, "float32"))
    shares = shares / _positive(ops.sum(shares))
    for _ in range(iterations):
        by_concept = ops.sum(shares, axis=0, keepdims=True)
        shares = shares / (_positive(by_concept) * concepts)
        by_sample = ops.sum(shares, axis=1, keepdims=True)
        shares = shares / (_positive(by_sample) * count)
    return shares * count


def _positive(x):
    return ops.maximum(x, 1e-30)
