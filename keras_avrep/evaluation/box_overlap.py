"""How far two boxes cover each other."""

import numpy as np


def box_iou(first, second):
    """Intersection over union of every box of one set with every one of another.

    Args:
        first: array `(N, 4)` of boxes `y1, x1, y2, x2`, in any one unit.
        second: array `(M, 4)`, in the same unit.

    Returns:
        float64 array `(N, M)` in [0, 1]. A box whose second corner is not below
        and right of its first has no area and overlaps nothing.

    Raises:
        ValueError: if an argument has another shape.

    Example:
    ```python
    box_iou([[0, 0, 2, 2]], [[0, 0, 2, 1], [2, 2, 3, 3]])  # [[0.5, 0.0]]
    ```
    """
    first, second = as_boxes("first", first), as_boxes("second", second)
    return _iou(first[:, None], second[None])


def paired_box_iou(first, second):
    """Intersection over union of boxes at the same position of two sets.

    Args:
        first: array `(N, 4)` of boxes `y1, x1, y2, x2`.
        second: array `(N, 4)`, in the same unit.

    Returns:
        float64 array `(N,)` in [0, 1], as of `box_iou`.

    Raises:
        ValueError: if an argument has another shape, or the two differ.

    Example:
    ```python
    paired_box_iou([[0, 0, 2, 2]], [[0, 0, 2, 1]])  # [0.5]
    ```
    """
    first, second = as_boxes("first", first), as_boxes("second", second)
    if len(first) != len(second):
        raise ValueError(
            f"`first` has {len(first)} boxes and `second` {len(second)}; give as many "
            "of both."
        )
    return _iou(first, second)


def as_boxes(argument, boxes):
    """An array `(N, 4)`, also of an empty list.

    Args:
        argument: string. Name of the argument, for the error.
        boxes: array-like.

    Returns:
        float64 array `(N, 4)`.

    Raises:
        ValueError: if it has another shape.
    """
    boxes = np.asarray(boxes, np.float64)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            f"`{argument}` has the shape {boxes.shape}; give boxes as (N, 4)."
        )
    return boxes


def _iou(first, second):
    corner = np.maximum(first[..., :2], second[..., :2])
    far_corner = np.minimum(first[..., 2:], second[..., 2:])
    common = _area(far_corner - corner)
    total = _area(first[..., 2:] - first[..., :2])
    total = total + _area(second[..., 2:] - second[..., :2]) - common
    return np.divide(common, total, out=np.zeros_like(common), where=total > 0)


def _area(sides):
    return np.prod(np.maximum(sides, 0), axis=-1)
