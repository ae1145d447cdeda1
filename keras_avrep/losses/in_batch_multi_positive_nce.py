from keras import ops

from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp


def in_batch_multi_positive_nce(embeddings, positives, negatives, temperature=0.07):
    """InfoNCE within a batch, with the positives and negatives of each sample.

    `-log(sum of exp(logits) of the positives / that of positives and negatives)`;
    gradient flows to both sides.

    Args:
        embeddings: unit-norm tensor `(batch, dim)`.
        positives: bool tensor `(batch, batch)`, at least one in each row.
        negatives: bool tensor `(batch, batch)`.
        temperature: float. Defaults to `0.07`.

    Returns:
        float32 scalar, the mean over the batch.

    Example:
    ```python
    video = keras.ops.array([0, 0, 1, 1])
    same = video[:, None] == video[None, :]
    positives = keras.ops.logical_and(same, ~keras.ops.eye(4, dtype="bool"))
    in_batch_multi_positive_nce(keras.ops.eye(4), positives, ~same)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.1.
    """
    embeddings = ops.cast(embeddings, "float32")
    logits = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    candidates = ops.logical_or(positives, negatives)
    return ops.mean(
        masked_log_sum_exp(logits, candidates) - masked_log_sum_exp(logits, positives)
    )
