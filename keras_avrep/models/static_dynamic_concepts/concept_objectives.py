"""Terms of Static and Dynamic Concepts over the two clips of each video.

What comes in has the two clips of a video after each other, `(2 B, ...)`; see
`clip_pairs`. Reference: arXiv:2207.12795, note section 4.
"""

from keras import ops

from keras_avrep.losses import (
    concept_fidelity,
    in_batch_nce,
    local_concept_contrast,
    swapped_prediction,
    wrong_mode_entropy,
)


def clip_pairs(x):
    """`(2 B, ...)` as `(B, 2, ...)`."""
    return ops.reshape(x, (-1, 2, *x.shape[1:]))


def contrast(first, second, temperature):
    """Both heads' embeddings of one clip against those of the other clip.

    Two directions for one head and four for two, halved: two heads weigh double,
    as released.
    """
    pairs = [(first, second)]
    if first is not second:
        pairs.append((second, first))
    total = 0.0
    for query, key in pairs:
        query, key = clip_pairs(query), clip_pairs(key)
        total += in_batch_nce(query[:, 0], key[:, 1], temperature)
        total += in_batch_nce(query[:, 1], key[:, 0], temperature)
    return total / 2


def alignment(logits, queue, in_use, assignment, temperature):
    """Swapped prediction with codes balanced over the batch and a queue.

    Args:
        logits: tensor `(views, B, concepts)`.
        queue: tensor `(views, size, concepts)` of earlier logits.
        in_use: bool tensor `(size,)`. Slots of the queue that count.
        assignment: `SinkhornAssignment`.
        temperature: float. Of the predictions.
    """
    batch = ops.shape(logits)[1]
    everything = ops.concatenate([ops.stop_gradient(logits), queue], axis=1)
    valid = ops.concatenate([ops.ones_like(logits[0, :, 0], dtype="bool"), in_use])
    codes = assignment(everything, valid)[:, :batch]
    return swapped_prediction(codes, logits, temperature)


def entropy(logits, temperature):
    """Sum of the wrong-mode entropies of some logits `(2 B, K)`."""
    return sum(wrong_mode_entropy(x, temperature) for x in logits)


def fidelity(rebuilt, features):
    """Sum over modes of how badly features are rebuilt."""
    return sum(concept_fidelity(rebuilt[mode], features[mode]) for mode in rebuilt)


def local_contrast(local, logits, concept_filter, margin, chunks):
    """Contrast of the local features `(2 B, N, dim)` of one mode's two clips."""
    local, active = clip_pairs(local), clip_pairs(concept_filter(logits))
    return local_concept_contrast(
        local[:, 0], local[:, 1], active[:, 0], active[:, 1], margin, chunks
    )
