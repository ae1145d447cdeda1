from keras import ops

from keras_avrep.losses.map_in_chunks import map_in_chunks
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp


def soft_region_contrast(
    query,
    key,
    weights,
    share,
    temperature=0.07,
    other_samples=True,
    ignore_same_sample_negatives=False,
    chunks=1,
    negatives=None,
):
    """Cross entropy of regions with soft targets among regions of the batch.

    Each query is compared with the keys of its own sample, whose weights are the
    targets, and with those of all others, which are negatives. The target's
    entropy is a floor: the loss does not go to 0.

    Args:
        query: unit-norm tensor `(batch, Q, dim)`.
        key: unit-norm tensor `(batch, K, dim)`.
        weights: tensor `(batch, Q, K)`, not negative. Normalised here.
        share: tensor `(batch, Q)`. How much each query counts; one with 0 has
            neither loss nor gradient.
        temperature: float. Defaults to `0.07`.
        other_samples: bool. Whether keys of other samples are negatives. Defaults
            to `True`.
        ignore_same_sample_negatives: bool. Whether keys of the query's own
            sample that have no weight are left out, instead of being pushed
            away. Defaults to `False`.
        chunks: int. Parts of the batch whose logits are held one at a time, see
            `map_in_chunks`. Defaults to `1`.
        negatives: unit-norm tensor `(batch, N, dim)`. What the queries of all other
            samples are compared with, such as some of the keys. Defaults to `key`.

    Returns:
        float32 scalar: the mean over queries, weighted by their shares.

    Example:
    ```python
    unit = keras.ops.eye(4)[None]
    soft_region_contrast(unit, unit, unit, keras.ops.ones((1, 4)))  # nearly 0
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.2.
    """
    query, key, weights, share = (
        ops.cast(x, "float32") for x in (query, key, weights, share)
    )
    total = ops.sum(weights, axis=-1, keepdims=True)
    target = weights / ops.maximum(total, 1e-6)
    own = ops.einsum("bqd,bkd->bqk", query, key) / temperature
    wanted = weights > 0 if ignore_same_sample_negatives else ops.ones_like(own, "bool")
    if other_samples:
        samples = ops.arange(ops.shape(query)[0])
        negatives = key if negatives is None else ops.cast(negatives, "float32")
        everything = map_in_chunks(
            lambda *tensors: _against_all(*tensors, temperature),
            (query, own, wanted, samples),
            (negatives,),
            chunks,
        )
    else:
        everything = masked_log_sum_exp(own, wanted)
    # Own logits stay unmasked: 0 times -inf has no value.
    loss = ops.sum(target * (everything[..., None] - own), axis=-1)
    return ops.sum(share * loss) / ops.maximum(ops.sum(share), 1.0)


def soft_region_floor(weights, share):
    """What `soft_region_contrast` cannot fall below: the entropy of its targets.

    Args:
        weights: tensor `(batch, Q, K)`, not negative. Normalised here.
        share: tensor `(batch, Q)`. How much each query counts.

    Returns:
        float32 scalar: the mean over queries, weighted by their shares.

    Example:
    ```python
    half = keras.ops.full((1, 1, 2), 0.5)
    soft_region_floor(half, keras.ops.ones((1, 1)))  # ln 2
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 8.
    """
    weights, share = (ops.cast(x, "float32") for x in (weights, share))
    total = ops.sum(weights, axis=-1, keepdims=True)
    target = weights / ops.maximum(total, 1e-6)
    entropy = -ops.sum(target * ops.log(ops.maximum(target, 1e-12)), axis=-1)
    return ops.sum(share * entropy) / ops.maximum(ops.sum(share), 1.0)


def _against_all(query, own, wanted, samples, negatives, temperature):
    """Log-sum-exp over own keys and the negatives of others, `(some samples, Q)`.

    All but `negatives` are of the samples whose places in the batch are `samples`.
    """
    batch = ops.shape(negatives)[0]
    flat = ops.reshape(negatives, (-1, negatives.shape[-1]))
    others = ops.matmul(query, ops.transpose(flat)) / temperature
    other = ops.repeat(
        samples[:, None] != ops.arange(batch)[None], negatives.shape[1], axis=1
    )
    other = ops.logical_and(other[:, None], ops.ones_like(others, "bool"))
    logits = ops.concatenate([own, others], axis=-1)
    return masked_log_sum_exp(logits, ops.concatenate([wanted, other], axis=-1))
