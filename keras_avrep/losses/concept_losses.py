"""What a dictionary of concepts is held to: agreement, ignorance, fidelity."""

from keras import ops


def swapped_prediction(codes, logits, temperature=0.1):
    """Cross-entropy of one view's concepts against the codes of another.

    Args:
        codes: tensor `(batch, concepts)`, rows that sum to one.
        logits: tensor `(batch, concepts)`, cosines.
        temperature: float. Defaults to `0.1`.

    Returns:
        float32 scalar; no gradient flows to the codes.

    Example:
    ```python
    swapped_prediction(keras.ops.eye(4), keras.ops.eye(4))
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.2.
    """
    log_shares = ops.log_softmax(ops.cast(logits, "float32") / temperature, axis=-1)
    codes = ops.stop_gradient(ops.cast(codes, "float32"))
    return -ops.mean(ops.sum(codes * log_shares, axis=-1))


def negative_entropy(logits, temperature=0.1):
    """Mean of `sum p log p` over the batch, from `-ln concepts` to 0.

    Added to a loss it makes inputs of the wrong kind say nothing about concepts.

    Args:
        logits: tensor `(batch, concepts)`, cosines.
        temperature: float. Defaults to `0.1`.

    Returns:
        float32 scalar.

    Example:
    ```python
    negative_entropy(keras.ops.zeros((2, 8)))  # -ln 8
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.3.
    """
    log_shares = ops.log_softmax(ops.cast(logits, "float32") / temperature, axis=-1)
    return ops.mean(ops.sum(ops.exp(log_shares) * log_shares, axis=-1))


def concept_fidelity(features, rebuilt):
    """Negative cosine of features and what concepts rebuild of them.

    Args:
        features: tensor `(batch, dim)`. No gradient flows to them: they would
            become constant otherwise.
        rebuilt: tensor `(batch, dim)`.

    Returns:
        float32 scalar in [-1, 1].

    Example:
    ```python
    concept_fidelity(keras.ops.eye(4), keras.ops.eye(4))  # -1
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    4.4.
    """
    features = ops.stop_gradient(ops.cast(features, "float32"))
    rebuilt = ops.cast(rebuilt, "float32")
    products = ops.sum(features * rebuilt, axis=-1)
    squares = ops.sum(ops.square(features), axis=-1) * ops.sum(
        ops.square(rebuilt), axis=-1
    )
    return -ops.mean(products * ops.rsqrt(ops.maximum(squares, 1e-12)))
