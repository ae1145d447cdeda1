from keras import ops


def with_l2_penalty(gradient, variable, l2):
    """A gradient and what an L2 penalty adds to it.

    Nothing is added where the gradient is 0 in all of a variable: such a one is frozen
    or its loss does not count yet. PyTorch's optimisers leave it alone, too; with the
    penalty only, Adam would take it to 0 at the full rate.

    Args:
        gradient: tensor.
        variable: variable of its shape.
        l2: float. What of the variable is added.

    Returns:
        Tensor of the gradient's shape and dtype.
    """
    penalty = l2 * ops.cast(variable, gradient.dtype)
    return gradient + ops.cast(learns(gradient), gradient.dtype) * penalty


def learns(gradient):
    """Whether a gradient is other than 0 anywhere, a bool scalar."""
    return ops.any(gradient != 0)
