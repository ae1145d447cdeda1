from keras import ops

from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp


def multi_positive_nce(
    query, key, queue, valid, positives=None, negatives=None, temperature=0.07
):
    """InfoNCE over a queue, with further positives found in the queue.

    `-log(sum of exp(logits) of the positives / sum over key and queue)`, as a
    difference of two log-sum-exps, in float32. The key is always a positive.

    Args:
        query: unit-norm tensor `(batch, dim)`.
        key: unit-norm tensor `(batch, dim)`, the positive of each query.
        queue: unit-norm tensor `(K, dim)`.
        valid: bool tensor `(K,)`. Slots that count.
        positives: bool tensor `(batch, K)`. Further positives, or `None`.
        negatives: unit-norm tensor `(batch, dim)`, one extra negative for each
            query, or `None`.
        temperature: float. Defaults to `0.07`.

    Returns:
        Scalar, the mean over the batch.

    Example:
    ```python
    unit = keras.ops.eye(4)
    multi_positive_nce(unit, unit, unit, keras.ops.ones(4, "bool"))
    ```

    Reference: DCLR (arXiv:2207.05340), note section 4.1.
    """
    query, key, queue = (ops.cast(x, "float32") for x in (query, key, queue))
    key_logit = ops.sum(query * key, axis=-1, keepdims=True) / temperature
    queue_logits = ops.matmul(query, ops.transpose(queue)) / temperature
    masked = ops.where(valid[None, :], queue_logits, -float("inf"))
    everything = [key_logit, masked]
    if negatives is not None:
        extra = ops.sum(query * ops.cast(negatives, "float32"), -1, keepdims=True)
        everything.append(extra / temperature)
    numerator = key_logit[:, 0]
    if positives is not None:
        positives = ops.logical_and(positives, valid[None, :])
        found = ops.where(positives, queue_logits, -float("inf"))
        numerator = masked_log_sum_exp(ops.concatenate([key_logit, found], axis=-1))
    return ops.mean(
        masked_log_sum_exp(ops.concatenate(everything, axis=-1)) - numerator
    )
