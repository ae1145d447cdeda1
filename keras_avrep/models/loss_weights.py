import math


def check_loss_weights(loss_weights, known, defaults):
    """The weights of a system's loss terms, checked and in their order.

    Args:
        loss_weights: dict from term to number, or `None` for `defaults`.
        known: names of all terms.
        defaults: dict from term to float.

    Returns:
        Dict from term to float.

    Raises:
        ValueError: if a term is unknown, a weight is not finite, or there are none.
    """
    if loss_weights is None:
        return dict(defaults)
    unknown = [name for name in loss_weights if name not in known]
    if unknown:
        raise ValueError(
            f"`loss_weights` names unknown terms {unknown}; known are {list(known)}."
        )
    if not loss_weights:
        raise ValueError(
            "`loss_weights` is empty, so there is nothing to learn from; give some of "
            f"{list(known)}."
        )
    if not all(math.isfinite(weight) for weight in loss_weights.values()):
        raise ValueError(f"`loss_weights` must be finite numbers, got {loss_weights}.")
    return {name: float(loss_weights[name]) for name in known if name in loss_weights}
