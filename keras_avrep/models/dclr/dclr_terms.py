"""Which contrasts DCLR has, and what each is made of."""

from keras_avrep.models.check_arguments import check_above_zero
from keras_avrep.models.loss_weights import check_loss_weights

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


def check_numbers(queue_size, momentum, temperature):
    """Raise if one of the numbers of a queue and its contrasts makes no sense."""
    if queue_size < 1:
        raise ValueError(f"`queue_size` must be at least 1, got {queue_size}.")
    if not 0 <= momentum <= 1:
        raise ValueError(f"`momentum` must be from 0 to 1, got {momentum}.")
    check_above_zero(temperature=temperature)


def check_top_k(top_k, queue_size):
    """Raise if a queue would have no neighbours to mine, or no negatives left."""
    if not 0 < top_k < queue_size:
        raise ValueError(
            f"`top_k` must be at least 1 and below `queue_size` {queue_size}, got "
            f"{top_k}: what is mined is no negative any more."
        )


def check_repulsion(loss_weights):
    """Raise if there are no two embeddings to keep apart."""
    if not {"vs", "vd"} <= set(loss_weights):
        raise ValueError(
            "`repulsion` keeps static and dynamic embeddings apart; it needs 'vs', "
            f"'sv', 'vd' and 'dv' in `loss_weights`, got {list(loss_weights)}."
        )


def mining_head(mode):
    """The head whose embeddings say which videos are alike in a mode."""
    return {"static": "sv", "dynamic": "dv"}[mode]


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the default for `None`."""
    defaults = {**DEFAULT_WEIGHTS, ALIGNMENT: 0.1}
    weights = check_loss_weights(loss_weights, (*TERMS, ALIGNMENT), defaults)
    if ("vs" in weights) != ("sv" in weights) or ("vd" in weights) != ("dv" in weights):
        raise ValueError(
            "`loss_weights` must hold 'vs' and 'sv' together, and 'vd' and 'dv' "
            "together: each one's keys are the other's queries."
        )
    if not any(name in TERMS for name in weights):
        raise ValueError(f"`loss_weights` {weights} hold no contrast; give 'vv', say.")
    return weights
