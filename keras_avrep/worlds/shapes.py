"""Shapes of sprites: signed distances, negative inside, radius about 1."""

import numpy as np


def shape_mask(shape, x, y, softness):
    """Coverage of a shape at some points.

    Args:
        shape: string. One of `SHAPES`.
        x: array. Right of the centre, in radii.
        y: array. Below the centre, in radii.
        softness: float. Width of the anti-aliased edge, in radii.

    Returns:
        Array of `x`'s shape in [0, 1].

    Example:
    ```python
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    mask = shape_mask("arrow", x, y, softness=0.1)
    ```
    """
    return np.clip(0.5 - SHAPES[shape](x, y) / softness, 0, 1)


def _box(x, y, half_width, half_height):
    return np.maximum(np.abs(x) - half_width, np.abs(y) - half_height)


def bar(x, y):
    return _box(x, y, 0.95, 0.3)


def square(x, y):
    return _box(x, y, 0.75, 0.75)


def triangle(x, y):
    angles = np.pi / 2 + np.arange(3) * 2 * np.pi / 3
    return np.max([np.cos(a) * x + np.sin(a) * y for a in angles], axis=0) - 0.5


def cross(x, y):
    return np.minimum(_box(x, y, 0.95, 0.3), _box(x, y, 0.3, 0.95))


def corner(x, y):
    return np.minimum(_box(x, y + 0.55, 0.85, 0.3), _box(x + 0.55, y + 0.1, 0.3, 0.75))


def arrow(x, y):
    head = np.maximum(np.abs(y) * 0.8 + (x - 0.95) * 0.6, -(x - 0.05))
    return np.minimum(head, _box(x + 0.4, y, 0.55, 0.22))


def open_ring(x, y):
    ring = np.abs(np.hypot(x, y) - 0.7) - 0.25
    return np.maximum(ring, -_box(x - 0.8, y, 0.6, 0.3))


def half_disc(x, y):
    return np.maximum(np.hypot(x, y) - 0.95, x - 0.1)


SHAPES = {
    "bar": bar,
    "square": square,
    "triangle": triangle,
    "cross": cross,
    "corner": corner,
    "arrow": arrow,
    "open_ring": open_ring,
    "half_disc": half_disc,
}
