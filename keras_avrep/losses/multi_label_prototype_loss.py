from keras import ops

FORMS = ("binary", "softmax")


def multi_label_prototype_loss(scores, labels, scale=10.0, offset=0.3, form="binary"):
    """Cross-entropy of cosines with prototypes, where several classes are right.

    Args:
        scores: tensor `(B, K)`. Cosine of each class with its own prototype.
        labels: tensor `(B, K)` of 0 and 1; a row may hold several.
        scale: float. Multiplies cosines. Defaults to 10.
        offset: float. Cosine at which a class is as likely as not; in the binary
            form only. Defaults to 0.3.
        form: string. `"binary"` decides on each class alone; `"softmax"` has a
            distribution with equal shares of the right classes as its target, which
            makes them compete. Defaults to `"binary"`.

    Returns:
        float32 scalar. The mean of batch and classes in the binary form, of the batch
        in the other.

    Raises:
        ValueError: if `form` is unknown.

    Example:
    ```python
    scores = keras.ops.array([[0.3, 0.3]])
    multi_label_prototype_loss(scores, keras.ops.array([[1.0, 0.0]]))  # log 2
    ```

    Reference: IEr (arXiv:2202.06406), note section 4.
    """
    if form not in FORMS:
        raise ValueError(f"`form` must be one of {FORMS}, got {form!r}.")
    scores, labels = ops.cast(scores, "float32"), ops.cast(labels, "float32")
    if form == "binary":
        logits = scale * (scores - offset)
        # log(1 + exp(x)) - y x, whatever the sign of x.
        return ops.mean(ops.softplus(logits) - labels * logits)
    count = ops.maximum(ops.sum(labels, axis=-1, keepdims=True), 1.0)
    log_shares = ops.log_softmax(scale * scores, axis=-1)
    return -ops.mean(ops.sum(labels / count * log_shares, axis=-1))
