"""Where a model sees the sound, as CSOL scores it: IoU, class-aware IoU, NSA."""

import numpy as np

from keras_avrep.evaluation.average_precision import mean_of_known

GRID = 224
# The released scripts: 0.1 for one source, 0.5 for composites, 0.2 for duets.
THRESHOLD = 0.1
SILENT_BELOW = 0.2
SHARES = np.arange(21) / 20


def localization_scores(maps, boxes, threshold=THRESHOLD, grid=GRID):
    """How well maps of one sound source agree with its boxes.

    A map is positive where it exceeds `threshold` times its own maximum. The
    overlap of a frame is |P and G| / (|G| + |P without G|), G being the union of
    its boxes. Frames without a box are passed over.

    Args:
        maps: array `(N, h, w)`. Any values; larger is more likely.
        boxes: for each frame, an array `(M, 4)` of relative `y1, x1, y2, x2`.
        threshold: float. Of a map's maximum. Defaults to 0.1, as for solos; the
            released scripts take 0.5 for composites and 0.2 for duets.
        grid: int. Pixels a side that maps are resized to (bilinear) and boxes
            drawn on. Defaults to 224.

    Returns:
        Dict of `iou_at_50`, the share of frames with an overlap of 0.5 or more;
        `auc`, the area under such shares at the thresholds 0, 0.05 … 1; and
        `overlaps`, float64 `(N,)`, NaN for frames without a box. NaN if no frame
        has one.

    Raises:
        ValueError: if numbers or shapes do not fit.

    Example:
    ```python
    maps = np.zeros((1, 14, 14))
    maps[0, :7] = 1
    localization_scores(maps, [[[0, 0, 0.5, 1]]], 0.5)["iou_at_50"]  # 1.0
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 6. These measures
    saturate: read them beside `localization_floors`.
    """
    maps = _checked(maps, 3, boxes)
    overlaps = [
        map_overlap(resize_map(one, grid), box_mask(placed, grid), threshold)
        for one, placed in zip(maps, boxes, strict=True)
    ]
    return {**_shares(overlaps, "iou", (50,)), "overlaps": np.array(overlaps)}


def class_aware_scores(
    maps,
    boxes,
    class_ids,
    threshold=0.5,
    silent_below=SILENT_BELOW,
    silent_ids=None,
    grid=GRID,
):
    """How well one map for each class agrees with the boxes of what sounds.

    Class-aware IoU of a frame is the mean overlap over the classes that have a
    box, each with its own map. The no-sounding area (NSA) is the share of pixels
    at or below `silent_below`, over the maps of the classes without a box, then
    over frames. Frames without a box are passed over.

    Args:
        maps: array `(N, h, w, K)`. Softmax over the classes at every place; see
            `sum_cluster_maps` where there are clusters instead.
        boxes: for each frame, an array `(M, 4)` of relative `y1, x1, y2, x2` of
            what sounds.
        class_ids: for each frame, M ints: classes of its boxes.
        threshold: float. Of a map's maximum. Defaults to 0.5.
        silent_below: float. Absolute. Defaults to 0.2.
        silent_ids: for each frame, the classes that count for the NSA, such as
            those that are seen and silent. Defaults to `None`, all without a box.
        grid: int. As of `localization_scores`. Defaults to 224.

    Returns:
        Dict of floats in [0, 1]: `ciou_at_30`, `ciou_at_50`, `auc` (as of
        `localization_scores`, of the class-aware IoU) and `nsa`; and `overlaps`
        and `silent_areas`, float64 `(N,)`, NaN where a frame has none.

    Raises:
        ValueError: if numbers or shapes do not fit.

    Example:
    ```python
    scores = class_aware_scores(maps, boxes, class_ids, threshold=0.5)
    scores["ciou_at_30"], scores["nsa"]
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 6. A map that is the same
    for 5 or more classes has an NSA of 1: read it beside `class_aware_floors`.
    """
    maps = _checked(maps, 4, boxes)
    if len(class_ids) != len(boxes):
        raise ValueError(
            f"`class_ids` has {len(class_ids)} frames and `boxes` {len(boxes)}."
        )
    overlaps, areas = [], []
    for n, one in enumerate(maps):
        masks = class_masks(boxes[n], class_ids[n], maps.shape[-1], grid)
        quiet = ~masks.any(axis=(1, 2))
        if silent_ids is not None:
            quiet &= np.isin(np.arange(len(quiet)), np.asarray(silent_ids[n], int))
        if not masks.any():
            overlaps.append(np.nan)
            areas.append(np.nan)
            continue
        resized = resize_map(np.moveaxis(one, -1, 0), grid)
        each = [
            map_overlap(m, g, threshold)
            for m, g in zip(resized, masks, strict=True)
            if g.any()
        ]
        overlaps.append(np.mean(each))
        areas.append(np.mean(resized[quiet] <= silent_below) if quiet.any() else np.nan)
    return {
        **_shares(overlaps, "ciou", (30, 50)),
        "nsa": mean_of_known(areas),
        "overlaps": np.array(overlaps),
        "silent_areas": np.array(areas),
    }


def map_overlap(one, mask, threshold):
    """Overlap of a thresholded map with a mask.

    Args:
        one: array `(H, W)`.
        mask: bool array `(H, W)`.
        threshold: float. Of the map's maximum; only what is above counts.

    Returns:
        float in [0, 1]; NaN for an empty mask.
    """
    if not mask.any():
        return float("nan")
    positive = one > threshold * one.max()
    right, wrong = (positive & mask).sum(), (positive & ~mask).sum()
    return float(right / (mask.sum() + wrong))


def box_mask(boxes, grid=GRID):
    """The union of boxes on a square grid.

    Args:
        boxes: array `(M, 4)` of relative `y1, x1, y2, x2`; M may be 0.
        grid: int. Defaults to 224.

    Returns:
        bool array `(grid, grid)`. Corners are rounded down.

    Raises:
        ValueError: if the boxes have another shape.

    Example:
    ```python
    box_mask([[0, 0, 0.5, 1]], grid=4).sum()  # 8
    ```
    """
    boxes = np.asarray(boxes, np.float64)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"`boxes` has the shape {boxes.shape}; give (M, 4).")
    mask = np.zeros((grid, grid), bool)
    # A little more, as 0.7 + 0.1 is a little less than 0.8.
    for y1, x1, y2, x2 in np.floor(np.clip(boxes, 0, 1) * grid + 1e-6).astype(int):
        mask[y1:y2, x1:x2] = True
    return mask


def class_masks(boxes, class_ids, num_classes, grid=GRID):
    """The union of the boxes of each class.

    Args:
        boxes: array `(M, 4)` of relative `y1, x1, y2, x2`.
        class_ids: M ints.
        num_classes: int.
        grid: int. Defaults to 224.

    Returns:
        bool array `(num_classes, grid, grid)`.

    Raises:
        ValueError: if a box lacks its class or a class is out of range.

    Example:
    ```python
    class_masks([[0, 0, 0.5, 1]], [2], num_classes=3).shape  # (3, 224, 224)
    ```
    """
    ids = np.asarray(class_ids, int).reshape(-1)
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if len(ids) != len(boxes):
        raise ValueError(f"A frame has {len(boxes)} boxes and {len(ids)} classes.")
    if len(ids) and not 0 <= ids.min() <= ids.max() < num_classes:
        raise ValueError(
            f"`class_ids` holds {ids.max()} or less than 0; there are {num_classes} "
            "classes."
        )
    return np.stack([box_mask(boxes[ids == k], grid) for k in range(num_classes)])


def resize_map(maps, grid=GRID):
    """Resize maps to a square, bilinear between the centres of their cells.

    Args:
        maps: array `(..., h, w)`.
        grid: int. Defaults to 224.

    Returns:
        float64 array `(..., grid, grid)`. What lies beyond the outermost centres
        repeats them.
    """
    maps = np.asarray(maps, np.float64)
    if maps.shape[-2:] == (grid, grid):
        return maps
    rows, columns = (_weights(side, grid) for side in maps.shape[-2:])
    return rows @ maps @ columns.T


def _weights(side, grid):
    """Interpolation as a matrix `(grid, side)`."""
    places = np.clip((np.arange(grid) + 0.5) * side / grid - 0.5, 0, side - 1)
    below = np.minimum(places.astype(int), side - 1)
    above = np.minimum(below + 1, side - 1)
    weights = np.zeros((grid, side))
    rows = np.arange(grid)
    np.add.at(weights, (rows, below), 1 - (places - below))
    np.add.at(weights, (rows, above), places - below)
    return weights


def _shares(overlaps, name, percents):
    overlaps = np.asarray(overlaps, np.float64)
    overlaps = overlaps[~np.isnan(overlaps)]
    if not len(overlaps):
        return {**{f"{name}_at_{p}": np.nan for p in percents}, "auc": np.nan}
    curve = (overlaps[:, None] >= SHARES).mean(axis=0)
    scores = {f"{name}_at_{p}": float(curve[p // 5]) for p in percents}
    return {**scores, "auc": float(np.trapezoid(curve, SHARES))}


def _checked(maps, ndim, boxes):
    maps = np.asarray(maps, np.float64)
    if maps.ndim != ndim:
        raise ValueError(f"`maps` has the shape {maps.shape}; it needs {ndim} axes.")
    if len(maps) != len(boxes):
        raise ValueError(f"`maps` has {len(maps)} frames and `boxes` {len(boxes)}.")
    if any(np.isnan(one).any() for one in maps):
        raise ValueError("`maps` holds what is no number; check the model.")
    return maps
