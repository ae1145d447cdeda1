"""What is worth watching of TeG beside its losses."""

from keras import ops

from keras_avrep.losses import (
    cross_view_accuracy,
    embedding_std,
    nearest_step_match,
    step_accuracy,
)


def statistic_names(terms):
    """Names of what `teg_statistics` returns for some terms."""
    names = ["embedding_std"]
    if "persistent" in terms:
        names.append("cross_view_accuracy")
    if "fine" in terms:
        names.append("step_accuracy")
    return tuple(names)


def teg_statistics(terms, outputs):
    """Spread of the embeddings, and how often clips and steps find each other.

    Args:
        terms: the names of the loss terms.
        outputs: what `TeG.query_forward` returns.

    Returns:
        Dict from the `statistic_names` to scalars.

    Reference: note of TeG (arXiv:2112.04480), section 8.
    """
    found = {}
    if "fine" in terms:
        short, long = outputs["short_steps"], outputs["long_steps"]
        targets = nearest_step_match(outputs["short_times"], outputs["long_times"])
        found["embedding_std"] = embedding_std(ops.mean(short, axis=1))
        found["step_accuracy"] = step_accuracy(short, long, targets)
    if "persistent" in terms:
        short, long = outputs["short"], outputs["long"]
        found["embedding_std"] = embedding_std(short)
        found["cross_view_accuracy"] = cross_view_accuracy(short, long)
    return found
