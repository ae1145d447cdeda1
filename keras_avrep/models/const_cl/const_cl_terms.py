"""Which terms ConST-CL has, and how its regions are matched."""

from keras import ops

from keras_avrep.losses import (
    match_most_overlapping,
    match_most_similar,
    match_same_index,
)
from keras_avrep.models.loss_weights import check_loss_weights

DEFAULT_WEIGHTS = {"global": 1.0, "local": 0.001, "kernel_l2": 1e-6}
BRANCHES = ("y", "shared")
MATCHES = ("argmax", "index", "geometric")


def check_weights(loss_weights):
    """Weights in the order of the terms, checked; the default for `None`."""
    weights = check_loss_weights(loss_weights, DEFAULT_WEIGHTS, DEFAULT_WEIGHTS)
    if "global" not in weights:
        raise ValueError(
            "`loss_weights` must hold 'global', which trains the representation; "
            "give it a weight of 0 to switch it off."
        )
    return weights


def match_regions(match, source, target, target_mask):
    """The positive of each region of one view among those of the other.

    Args:
        match: string. `"argmax"` of similarity, the same `"index"`, or most
            overlap in the frame, `"geometric"`.
        source: dict of `regions` `(B, N, C)`, `frame_boxes` `(B, N, 4)` and `mask`
            bool `(B, N)` of one view.
        target: the same of the other.
        target_mask: bool `(B, N)`. Regions that may be chosen, or `None` for all.

    Returns:
        int32 tensor `(B, N)`, and a bool tensor `(B, N)`: the source regions that
        have a positive.
    """
    if match == "geometric":
        found, overlaps = match_most_overlapping(
            source["frame_boxes"], target["frame_boxes"], target_mask
        )
        return found, source["mask"] & overlaps
    if match == "index":
        mask = source["mask"]
        if target_mask is not None:
            mask = mask & target_mask
        return match_same_index(source["regions"], target["regions"]), mask
    found = match_most_similar(source["regions"], target["regions"], target_mask)
    if target_mask is None:
        return found, source["mask"]
    # A view may show none of the video's boxes.
    return found, source["mask"] & ops.any(target_mask, axis=1, keepdims=True)
