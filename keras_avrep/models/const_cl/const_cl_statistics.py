"""What is worth watching of ConST-CL beside its losses."""

from keras_avrep.losses import (
    cross_view_accuracy,
    cross_view_entropy,
    embedding_std,
    matched_entropy,
    region_similarities,
)
from keras_avrep.models.const_cl.const_cl_terms import match_regions

GLOBAL = ("embedding_std", "cross_view_accuracy", "cross_view_entropy")
SIMILARITIES = tuple(
    f"{kind}_similarity{part}"
    for kind in ("positive", "negative")
    for part in ("", "_min", "_max")
)
LOCAL = (*SIMILARITIES, "matched_entropy")


def statistic_names(terms):
    """Names of what `const_cl_statistics` returns for some terms."""
    return (*GLOBAL, *LOCAL) if "local" in terms else GLOBAL


def const_cl_statistics(outputs, match, mask_targets=True, temperature=0.1, chunks=1):
    """Spread, accuracy and entropy of whole clips, similarities of regions.

    Args:
        outputs: what `ConSTCL.query_forward` returns.
        match: string. How a region's positive is found.
        mask_targets: bool. Whether padding may not be a positive. Defaults to `True`.
        temperature: float. Of whole clips. Defaults to `0.1`.
        chunks: int. Parts of the batch whose regions are compared one at a time.
            Defaults to `1`.

    Returns:
        Dict from the `statistic_names` to scalars. Similarities are those of the
        first view's regions, rewritten, with the second view's. Padding never counts.

    Reference: note of ConST-CL (arXiv:2112.05181), sections 4 and 9.
    """
    first, second = outputs["global"]
    found = {
        "embedding_std": embedding_std(first),
        "cross_view_accuracy": cross_view_accuracy(first, second),
        "cross_view_entropy": cross_view_entropy(first, second, temperature),
    }
    if "local" in outputs:
        source, target = outputs["local"]
        mask = target["mask"] if mask_targets else None
        matched, counted = match_regions(match, source, target, mask)
        found |= region_similarities(
            source["transformed"],
            target["regions"],
            matched,
            chunks,
            counted,
            target["mask"],
        )
        regions = target["regions"].shape[1]
        found["matched_entropy"] = matched_entropy(matched, regions, counted)
    return found
