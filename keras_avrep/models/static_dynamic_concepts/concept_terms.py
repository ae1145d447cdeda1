"""Which terms Static and Dynamic Concepts has, and what each is made of."""

from keras_avrep.models.check_arguments import check_above_zero
from keras_avrep.models.loss_weights import check_loss_weights

MODES = ("rgb", "static", "dynamic")
# term → the two heads that are contrasted
CONTRASTS = {"vv": ("vv", "vv"), "vs": ("vs", "sv"), "vd": ("vd", "dv")}
# head → input mode
HEADS = {
    "vv": "rgb",
    "vs": "rgb",
    "vd": "rgb",
    "sv": "static",
    "dv": "dynamic",
}
# term → kind of the concepts (all for `None`), modes whose views are aligned
ALIGNMENTS = {
    "static": ("static", ("rgb", "static")),
    "dynamic": ("dynamic", ("rgb", "dynamic")),
    "pooled": (None, MODES),
}
# mode → the other kind, which its input should not tell apart
WRONG_KINDS = {"static": "dynamic", "dynamic": "static"}
ENTROPY, FIDELITY, LOCAL = "entropy", "fidelity", "local"
DEFAULT_WEIGHTS = {
    "vv": 1.0,
    "vs": 1.0,
    "vd": 1.0,
    "static": 1.0,
    "dynamic": 1.0,
    ENTROPY: 0.1,
    FIDELITY: 1.0,
    LOCAL: 1.0,
}
KNOWN = (*CONTRASTS, *ALIGNMENTS, ENTROPY, FIDELITY, LOCAL)


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the default for `None`."""
    return check_loss_weights(loss_weights, KNOWN, DEFAULT_WEIGHTS)


def check_temperatures(temperature, concept_temperature, epsilon):
    """Raise if one of what similarities are divided by is not above 0."""
    check_above_zero(temperature=temperature, concept_temperature=concept_temperature)
    check_above_zero(epsilon=epsilon)


def heads_of(terms):
    """Heads that the contrasts among the terms need, in order."""
    needed = {head for term in CONTRASTS if term in terms for head in CONTRASTS[term]}
    return [head for head in HEADS if head in needed]


def aligned_modes(terms):
    """Modes whose concepts some alignment compares, in order."""
    needed = {m for term in ALIGNMENTS if term in terms for m in ALIGNMENTS[term][1]}
    return [mode for mode in MODES if mode in needed]


def concept_modes(terms):
    """Modes that some term looks at the concepts of, in order."""
    needed = set(aligned_modes(terms))
    if ENTROPY in terms:
        needed |= set(WRONG_KINDS)
    if FIDELITY in terms or LOCAL in terms:
        needed = set(MODES)
    return [mode for mode in MODES if mode in needed]


def input_modes(terms):
    """Modes that some term needs the features of, in order."""
    needed = {"rgb", *concept_modes(terms), *(HEADS[head] for head in heads_of(terms))}
    return [mode for mode in MODES if mode in needed]
