"""Which losses there are, and which inputs, heads and columns each needs."""

from keras import ops

from keras_avrep.losses import (
    in_batch_nce,
    negative_entropy,
    sinkhorn_codes,
    swapped_prediction,
)

MODES = ("rgb", "static", "dynamic")
# contrast → pairs of (query head, key head), and the divisor of their sum
CONTRASTS = {
    "vv": ((("vv", "vv"),), 2),
    "vs": ((("vs", "sv"), ("sv", "vs")), 2),
    "vd": ((("vd", "dv"), ("dv", "vd")), 2),
}
HEAD_MODES = {
    "vv": "rgb",
    "vs": "rgb",
    "vd": "rgb",
    "sv": "static",
    "dv": "dynamic",
}
# agreement on concepts → modes of the views that agree
AGREEMENTS = {
    "concepts": ("rgb",),
    "static": ("rgb", "static"),
    "dynamic": ("rgb", "dynamic"),
}
# The input of the other kind, which is to say nothing about these concepts.
WRONG_MODE = {"static": "dynamic", "dynamic": "static"}
TERMS = (*CONTRASTS, *AGREEMENTS, "entropy", "fidelity", "local")
DEFAULT_WEIGHTS = {
    "vv": 1.0,
    "vs": 1.0,
    "vd": 1.0,
    "static": 1.0,
    "dynamic": 1.0,
    "entropy": 0.1,
    "fidelity": 1.0,
    "local": 1.0,
}


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the defaults for `None`."""
    if loss_weights is None:
        return dict(DEFAULT_WEIGHTS)
    unknown = [name for name in loss_weights if name not in TERMS]
    if unknown:
        raise ValueError(
            f"`loss_weights` names unknown terms {unknown}; known are {list(TERMS)}."
        )
    return {name: float(loss_weights[name]) for name in TERMS if name in loss_weights}


def modes_of(terms):
    """The kinds of input that some terms need, RGB first."""
    needed = {"rgb"}
    if "vs" in terms or "static" in terms:
        needed.add("static")
    if "vd" in terms or "dynamic" in terms:
        needed.add("dynamic")
    if "entropy" in terms:
        needed |= {"static", "dynamic"}
    return [mode for mode in MODES if mode in needed]


def columns_of(kind, bank):
    """The concepts of a kind, or of the mode that shows just them."""
    return {
        "static": bank.static_slice,
        "dynamic": bank.dynamic_slice,
        "concepts": slice(None),
        "rgb": slice(None),
    }[kind]


def contrast(term, embeddings, temperature):
    """In-batch contrast of clips across the pair, both ways.

    Args:
        term: string. A key of `CONTRASTS`.
        embeddings: dict from head to unit-norm tensors `(B, 2, D)`.
        temperature: float.

    Returns:
        Scalar.
    """
    pairs, divisor = CONTRASTS[term]
    total = 0.0
    for query, key in pairs:
        for own, other in ((0, 1), (1, 0)):
            total += in_batch_nce(
                embeddings[query][:, own], embeddings[key][:, other], temperature
            )
    return total / divisor


def agreement(logits, queued, valid, temperature, epsilon):
    """Every view predicts the codes of every other one.

    Args:
        logits: list of tensors `(B, concepts)`, one a view.
        queued: list of tensors `(K, concepts)`, of earlier batches.
        valid: bool tensor `(K,)`. Which of those count.
        temperature: float. Of the prediction.
        epsilon: float. Of the codes.

    Returns:
        Scalar.

    Reference: note section 4.2.
    """
    batch = ops.shape(logits[0])[0]
    counted = ops.concatenate([ops.ones((batch,), "bool"), valid])
    codes = [
        sinkhorn_codes(ops.concatenate([own, old]), counted, epsilon)[:batch]
        for own, old in zip(logits, queued, strict=True)
    ]
    total = 0.0
    for i, code in enumerate(codes):
        others = [x for j, x in enumerate(logits) if j != i]
        total += sum(swapped_prediction(code, x, temperature) for x in others) / len(
            others
        )
    return total / len(codes)


def wrong_mode_entropy(logits, bank, temperature):
    """Negative entropy of static concepts on moving inputs, and the reverse.

    Args:
        logits: dict from mode to tensors `(B, 2, concepts)`.
        bank: a `ConceptBank`, for its columns.
        temperature: float.

    Returns:
        Scalar, the sum over both kinds of the mean over both clips.
    """
    total = 0.0
    for kind, mode in WRONG_MODE.items():
        wrong = logits[mode][..., columns_of(kind, bank)]
        total += sum(negative_entropy(wrong[:, clip], temperature) for clip in (0, 1))
    return total / 2
