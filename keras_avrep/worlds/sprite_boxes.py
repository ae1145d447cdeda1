"""Boxes of sprites that wrap around the picture's edges."""

import numpy as np


def largest_part_box(mask, center):
    """Box of the largest visible part of a sprite.

    A sprite that crosses an edge comes in again on the other side, so the
    picture shows up to four pieces of it. The box holds the piece with the most
    coverage only: what a camera would see of a thing that leaves the picture. It
    encloses the pixels that the sprite covers by more than half.

    Args:
        mask: array `(size, size)` in [0, 1]. Coverage of each pixel.
        center: row and column of the sprite's centre, in pixels, in [0, size).

    Returns:
        float32 array `(4,)`: `y1, x1, y2, x2`, relative to the picture.

    Example:
    ```python
    mask = np.zeros((8, 8))
    mask[2:4, [0, 1, 2, 7]] = 1  # its centre is on column 1
    largest_part_box(mask, (2.5, 1.0))  # [0.25, 0, 0.5, 0.375]
    ```
    """
    size = len(mask)
    rows, columns = (_piece(size, place) for place in center)
    pieces = [
        mask * np.outer(rows == row, columns == column)
        for row in np.unique(rows)
        for column in np.unique(columns)
    ]
    piece = max(pieces, key=np.sum)
    # A sprite too small to cover half of any pixel still has a place.
    y, x = np.nonzero(piece > min(0.5, piece.max() / 2))
    if len(y) == 0:
        y = x = np.zeros(1, int)
    corners = [y.min(), x.min(), y.max() + 1, x.max() + 1]
    return np.asarray(corners, np.float32) / size


def _piece(size, center):
    """How many pictures further each place meets the sprite: -1, 0 or 1."""
    return np.floor((np.arange(size) - center + size / 2) / size)
