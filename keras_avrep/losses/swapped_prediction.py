from keras import ops


def swapped_prediction(codes, logits, temperature=0.1):
    """Cross-entropy of every view's prediction with the code of every other view.

    Args:
        codes: tensor `(views, batch, concepts)`, rows sum to one; no gradient
            flows to them.
        logits: tensor `(views, batch, concepts)` of cosines.
        temperature: float. Of the predictions. Defaults to `0.1`.

    Returns:
        float32 scalar, the mean over ordered pairs of views and the batch.

    Raises:
        ValueError: if there is only one view.

    Example:
    ```python
    codes = keras.ops.ones((2, 3, 4)) / 4
    swapped_prediction(codes, keras.ops.zeros((2, 3, 4)))  # log(4)
    ```

    Reference: SwAV (arXiv:2006.09882); note of Static and Dynamic Concepts
    (arXiv:2207.12795), section 4.2.
    """
    views = logits.shape[0]
    if views < 2:
        raise ValueError("`logits` has one view; predictions are swapped between two.")
    codes = ops.stop_gradient(ops.cast(codes, "float32"))
    log_shares = ops.log_softmax(ops.cast(logits, "float32") / temperature, axis=-1)
    # Every view's code beside the sum of all views' predictions, less its own.
    others = ops.sum(log_shares, axis=0, keepdims=True) - log_shares
    return -ops.mean(ops.sum(codes * others, axis=-1)) / (views - 1)
