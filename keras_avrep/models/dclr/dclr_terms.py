"""Which contrasts DCLR has, and what each is made of."""

# term → (query head, key head = queue, mode of the mined positives)
TERMS = {
    "vv": ("vv", "vv", "rgb"),
    "vs": ("vs", "sv", "static"),
    "sv": ("sv", "vs", "static"),
    "vd": ("vd", "dv", "dynamic"),
    "dv": ("dv", "vd", "dynamic"),
}
# head → (input mode, mode of the activation map that weights the pooling)
HEADS = {
    "vv": ("rgb", None),
    "vs": ("rgb", "static"),
    "vd": ("rgb", "dynamic"),
    "sv": ("static", None),
    "dv": ("dynamic", None),
}
MODES = ["rgb", "static", "dynamic"]
ALIGNMENT = "activation"
DEFAULT_WEIGHTS = {"vv": 1.0, "vs": 1.0, "sv": 1.0, "vd": 1.0, "dv": 1.0}


def check_mine(mine):
    """The modes whose positives are mined, as a list, checked."""
    if isinstance(mine, str) or any(mode not in MODES for mode in mine):
        raise ValueError(f"`mine` must be a list of some of {MODES}, got {mine!r}.")
    return list(mine)


def mining_head(mode):
    """The head whose embeddings say which videos are alike in a mode."""
    return {"static": "sv", "dynamic": "dv"}[mode]


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the default for `None`."""
    if loss_weights is None:
        return {**DEFAULT_WEIGHTS, ALIGNMENT: 0.1}
    known = (*TERMS, ALIGNMENT)
    unknown = [name for name in loss_weights if name not in known]
    if unknown:
        raise ValueError(
            f"`loss_weights` names unknown terms {unknown}; known are {list(known)}."
        )
    if ("vs" in loss_weights) != ("sv" in loss_weights) or (
        ("vd" in loss_weights) != ("dv" in loss_weights)
    ):
        raise ValueError(
            "`loss_weights` must hold 'vs' and 'sv' together, and 'vd' and 'dv' "
            "together: each one's keys are the other's queries."
        )
    return {name: float(loss_weights[name]) for name in known if name in loss_weights}
