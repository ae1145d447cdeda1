"""Sixteen families of procedural textures, each a field of values in [0, 1].

Every function takes pixel coordinates `x`, `y` (arrays, in units of the image's
short side) and a `numpy.random.Generator` that draws its parameters.
"""

import colorsys

import numpy as np


def texture_image(family, height, width, size, rng):
    """A coloured texture.

    Args:
        family: string. One of `TEXTURES`.
        height: int. Pixels.
        width: int. Pixels.
        size: int. Pixels that count as one unit of the pattern.
        rng: `numpy.random.Generator`.

    Returns:
        float32 array `(height, width, 3)` in [0, 1].

    Example:
    ```python
    image = texture_image("checker", 64, 64, 64, np.random.default_rng(0))
    ```
    """
    y, x = np.mgrid[:height, :width].astype(np.float64) / size
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    shift = rng.uniform(0, 8, 2)
    u, v = c * x - s * y + shift[0], s * x + c * y + shift[1]
    # Families with a centre keep it inside the picture.
    if family in ("rings", "rays", "spiral"):
        centre = rng.uniform(0.1, 0.9, 2)
        u, v = x - centre[0], y - centre[1]
    value = np.clip(TEXTURES[family](u, v, rng), 0, 1)[..., None]
    dark, light = _palette(family, rng)
    return (dark + (light - dark) * value).astype(np.float32)


def _palette(family, rng):
    """A dark and a light colour near the family's own hue."""
    hue = list(TEXTURES).index(family) / len(TEXTURES) + rng.uniform(-0.03, 0.03)
    dark = _rgb(hue, rng.uniform(0.5, 1), rng.uniform(0.1, 0.5))
    light = _rgb(hue + rng.uniform(-0.1, 0.1), rng.uniform(0.3, 1), rng.uniform(0.7, 1))
    return dark, light


def _rgb(hue, saturation, value):
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))


def _wave(phase):
    return 0.5 + 0.5 * np.sin(2 * np.pi * phase)


def _frequency(rng, low=2.0, high=5.0):
    return rng.uniform(low, high)


def stripes(x, y, rng):
    return _wave(x * _frequency(rng)) > 0.5


def checker(x, y, rng):
    f = _frequency(rng)
    return (np.floor(x * f) + np.floor(y * f)) % 2


def dots(x, y, rng):
    f = _frequency(rng, 3, 6)
    return np.hypot(x * f % 1 - 0.5, y * f % 1 - 0.5) < rng.uniform(0.2, 0.4)


def rings(x, y, rng):
    return _wave(np.hypot(x, y) * _frequency(rng, 2, 6))


def rays(x, y, rng):
    return _wave(np.arctan2(y, x) / (2 * np.pi) * rng.integers(5, 12)) > 0.5


def spiral(x, y, rng):
    turns = np.arctan2(y, x) / (2 * np.pi) * rng.integers(1, 4)
    return _wave(np.hypot(x, y) * _frequency(rng) + turns)


def waves(x, y, rng):
    f, bend = _frequency(rng), rng.uniform(0.1, 0.3)
    return _wave(x * f + bend * f * np.sin(2 * np.pi * y * _frequency(rng, 1, 3)))


def zigzag(x, y, rng):
    fold = np.abs(y * _frequency(rng, 1.5, 4) % 1 - 0.5)
    return _wave(x * _frequency(rng) + 2 * fold) > 0.5


def bricks(x, y, rng):
    f = _frequency(rng, 3, 6)
    row = np.floor(y * f)
    column = x * f / 2 + 0.5 * (row % 2)
    return (y * f % 1 > 0.15) & (column % 1 > 0.08)


def plaid(x, y, rng):
    return (_wave(x * _frequency(rng)) + _wave(y * _frequency(rng))) / 2


def triangles(x, y, rng):
    f = _frequency(rng, 2, 5)
    return (x * f % 1) > (y * f % 1)


def hexagons(x, y, rng):
    f = 2 * np.pi * _frequency(rng, 2, 4)
    angles = np.arange(3) * np.pi / 3
    total = sum(np.cos(f * (np.cos(a) * x + np.sin(a) * y)) for a in angles)
    return total / 4.5 + 1 / 3


def clouds(x, y, rng):
    return _noise(x, y, rng, [1, 2, 4])


def grain(x, y, rng):
    return _noise(x, y, rng, [5, 9])


def marble(x, y, rng):
    return _wave(x * _frequency(rng) + 1.5 * _noise(x, y, rng, [1.5, 3]))


def cells(x, y, rng):
    points = rng.uniform([x.min(), y.min()], [x.max(), y.max()], (24, 2))
    distance = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
    shades = rng.uniform(0, 1, 24)
    return shades[np.argmin(distance, axis=-1)]


def _noise(x, y, rng, scales):
    """Value noise: smooth interpolation of a random lattice, at several scales."""
    total, weight = np.zeros_like(x), 0.0
    for scale in scales:
        lattice = rng.uniform(0, 1, (64, 64))
        u, v = x * scale, y * scale
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        a, b = u - i, v - j
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        top = lattice[j % 64, i % 64] * (1 - a) + lattice[j % 64, (i + 1) % 64] * a
        below = lattice[(j + 1) % 64, i % 64] * (1 - a)
        below = below + lattice[(j + 1) % 64, (i + 1) % 64] * a
        total += (top * (1 - b) + below * b) / scale
        weight += 1 / scale
    return (total / weight - 0.5) * 1.6 + 0.5


TEXTURES = {
    "stripes": stripes,
    "checker": checker,
    "dots": dots,
    "rings": rings,
    "rays": rays,
    "spiral": spiral,
    "waves": waves,
    "zigzag": zigzag,
    "bricks": bricks,
    "plaid": plaid,
    "triangles": triangles,
    "hexagons": hexagons,
    "clouds": clouds,
    "grain": grain,
    "marble": marble,
    "cells": cells,
}
