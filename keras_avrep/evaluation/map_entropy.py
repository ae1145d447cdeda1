"""How undecided maps are between classes: a collapsed model cannot tell them apart."""

import numpy as np


def map_entropy(class_maps, boxes=None):
    """Mean entropy of the distributions at the places of class maps.

    Args:
        class_maps: array `(N, h, w, K)` of distributions over K.
        boxes: for each map, an array `(M, 4)` of relative `y1, x1, y2, x2`. Defaults
            to `None`.

    Returns:
        Dict of floats: `entropy`, in nats, over all places; `entropy_share`, of the
        log K that uniform maps have; and with boxes `entropy_share_in_boxes`, over
        the places whose middle lies in a box (NaN if there are none).

    Raises:
        ValueError: if the maps have another shape.

    Example:
    ```python
    map_entropy(np.full((1, 2, 2, 4), 0.25))["entropy_share"]  # 1.0
    ```

    Reference: note of IEr (arXiv:2202.06406), section 4: watch for the uniform
    solution.
    """
    maps = np.asarray(class_maps, np.float64)
    if maps.ndim != 4 or maps.shape[-1] < 2:
        raise ValueError(
            f"`class_maps` has the shape {maps.shape}; give (N, h, w, K) with K of 2 "
            "or more."
        )
    entropy = -np.sum(maps * np.log(np.maximum(maps, 1e-30)), axis=-1)
    most = np.log(maps.shape[-1])
    result = {
        "entropy": float(entropy.mean()),
        "entropy_share": float(entropy.mean() / most),
    }
    if boxes is not None:
        inside = np.stack(
            [places_in_boxes(placed, maps.shape[1:3]) for placed in boxes]
        )
        mean = entropy[inside].mean() if inside.any() else np.nan
        result["entropy_share_in_boxes"] = float(mean / most)
    return result


def places_in_boxes(boxes, shape):
    """bool `(h, w)`: places whose middle lies in a box."""
    rows, columns = ((np.arange(side) + 0.5) / side for side in shape)
    inside = np.zeros(shape, bool)
    for y1, x1, y2, x2 in np.asarray(boxes, np.float64).reshape(-1, 4):
        down, across = (rows >= y1) & (rows < y2), (columns >= x1) & (columns < x2)
        inside |= down[:, None] & across
    return inside
