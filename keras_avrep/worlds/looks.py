"""Looks of instruments: silhouettes as signed distances, and colours.

Every silhouette is negative inside and lies within a radius of about 1; x points
right and y down. The second function of a look draws its details: strings, keys,
bellows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Look:
    """How an instrument looks.

    Args:
        silhouette: function of `x`, `y` to signed distances.
        detail: function of `x`, `y` to signed distances, drawn within the
            silhouette.
        body: colour of the silhouette, three numbers in [0, 1].
        accent: colour of the detail.
    """

    silhouette: Callable
    detail: Callable
    body: tuple[float, float, float]
    accent: tuple[float, float, float]


def blend_looks(first, second, share):
    """A look between two, in shape and colours.

    Args:
        first: `Look`.
        second: `Look`.
        share: float in [0, 1]. 0 gives the first one.

    Returns:
        `Look`.

    Example:
    ```python
    blend_looks(LOOKS["violin"], LOOKS["cello"], 0.9)
    ```
    """

    def mix(a, b):
        return lambda x, y: (1 - share) * a(x, y) + share * b(x, y)

    def shade(a, b):
        return tuple((1 - share) * u + share * v for u, v in zip(a, b, strict=True))

    return Look(
        mix(first.silhouette, second.silhouette),
        mix(first.detail, second.detail),
        shade(first.body, second.body),
        shade(first.accent, second.accent),
    )


def draw_look(look, x, y, softness, body, accent):
    """Coverage and colour of an instrument at some points.

    Args:
        look: `Look`.
        x: array. Right of the centre, in radii.
        y: array. Below the centre, in radii.
        softness: float. Width of the anti-aliased edge, in radii.
        body: colour of the silhouette, near `look.body`.
        accent: colour of the detail.

    Returns:
        Coverage in [0, 1], of `x`'s shape, and colours `(*x.shape, 3)`.

    Example:
    ```python
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    look = LOOKS["tuba"]
    mask, colors = draw_look(look, x, y, 0.05, look.body, look.accent)
    ```
    """
    mask = np.clip(0.5 - look.silhouette(x, y) / softness, 0, 1)
    detail = np.clip(0.5 - look.detail(x, y) / softness, 0, 1)[..., None]
    colors = np.asarray(body) * (1 - detail) + np.asarray(accent) * detail
    return mask, colors


# --- building blocks ---------------------------------------------------------


def _box(x, y, left, top, right, bottom):
    half_width, half_height = (right - left) / 2, (bottom - top) / 2
    u, v = x - (left + right) / 2, y - (top + bottom) / 2
    return np.maximum(np.abs(u) - half_width, np.abs(v) - half_height)


def _disc(x, y, center_x, center_y, radius):
    return np.hypot(x - center_x, y - center_y) - radius


def _ring(x, y, center_x, center_y, radius, half_width):
    return np.abs(_disc(x, y, center_x, center_y, radius)) - half_width


def _union(*shapes):
    return np.minimum.reduce(shapes)


def _bell(x, y, start, stop, narrow, wide):
    """A cone along x that opens from `start` to `stop`."""
    along = (x - start) / (stop - start)
    half = narrow + (wide - narrow) * np.clip(along, 0, 1) ** 2
    return np.maximum(np.abs(y) - half, _box(x, y, start, -2, stop, 2))


def _rows(x, y, spacing, half_width):
    """Bars across the x axis, `spacing` apart."""
    return np.abs((x + spacing / 2) % spacing - spacing / 2) - half_width + 0 * y


# --- eleven silhouettes ------------------------------------------------------


def accordion(x, y):
    return _box(x, y, -0.95, -0.6, 0.95, 0.6)


def acoustic_guitar(x, y):
    lower, upper = _disc(x, y, 0, 0.5, 0.47), _disc(x, y, 0, -0.05, 0.34)
    return _union(lower, upper, _box(x, y, -0.08, -0.98, 0.08, 0))


def cello(x, y):
    waist = np.maximum(_box(x, y, -0.36, -0.35, 0.36, 0.75), -_notches(x, y, 0.2))
    spike = _box(x, y, -0.04, 0.7, 0.04, 0.98)
    return _union(waist, spike, _box(x, y, -0.07, -0.98, 0.07, -0.3))


def _notches(x, y, height):
    return _union(_disc(x, y, -0.42, height, 0.2), _disc(x, y, 0.42, height, 0.2))


def clarinet(x, y):
    end = np.maximum(_box(x, y, -0.3, 0.7, 0.3, 0.98), 0.7 * np.abs(x) - y + 0.7)
    return _union(_box(x, y, -0.16, -0.98, 0.16, 0.8), end)


def erhu(x, y):
    drum = _box(x, y, -0.25, 0.55, 0.25, 0.95)
    return _union(drum, _box(x, y, -0.09, -0.98, 0.09, 0.6), _bow(x, y))


def _bow(x, y):
    return _box(x, y + 0.15 * x, -0.8, 0.36, 0.8, 0.48)


def flute(x, y):
    return _union(_box(x, y, -0.98, -0.14, 0.98, 0.14), _disc(x, y, -0.7, 0, 0.22))


def saxophone(x, y):
    bend = np.maximum(_ring(x, y, 0.1, 0.45, 0.34, 0.13), -(y - 0.4))
    bell = _bell(-(y - 0.5), x - 0.44, 0.0, 0.55, 0.13, 0.36)
    return _union(bend, bell, _box(x, y, -0.36, -0.85, -0.12, 0.5))


def trumpet(x, y):
    outer, inner = (
        _box(x, y, -0.5, -0.3, 0.3, 0.3),
        _box(x, y, -0.36, -0.16, 0.16, 0.16),
    )
    loop = np.maximum(outer, -inner)
    horn = _bell(x, y + 0.24, 0.1, 0.98, 0.07, 0.5)
    return _union(loop, horn, _box(x, y, -0.98, -0.31, 0.3, -0.17))


def tuba(x, y):
    coil = _ring(x, y, -0.1, 0.3, 0.45, 0.17)
    bell = _bell(-(y - 0.3), x - 0.35, 0.0, 1.2, 0.14, 0.5)
    return _union(coil, bell)


def violin(x, y):
    lower, upper = _disc(x, y, 0, 0.35, 0.33), _disc(x, y, 0, -0.12, 0.26)
    body = np.maximum(_union(lower, upper), -_notches(x, y, 0.1))
    stick = _box(x - 0.55 * y, y, 0.42, -0.9, 0.5, 0.9)
    return _union(body, stick, _box(x, y, -0.05, -0.9, 0.05, 0))


def xylophone(x, y):
    height = 0.65 - 0.25 * (x + 0.95) / 1.9
    frame = np.maximum(np.abs(y) - height, np.abs(x) - 0.95)
    return np.maximum(frame, -_rows(x - 0.19, y, 0.38, 0.06))


def _strings(x, y):
    return np.maximum(np.abs(x) - 0.03, np.abs(y) - 0.9)


def _keys(x, y):
    return np.maximum(_rows(y, x, 0.3, 0.06), np.abs(x) - 0.06)


def _flute_keys(x, y):
    return np.maximum(_rows(x, y, 0.25, 0.05), np.abs(y) - 0.08)


def _saxophone_keys(x, y):
    return _keys(x + 0.24, np.minimum(y, 0.5))


def _bellows(x, y):
    return np.maximum(_rows(x, y, 0.2, 0.05), np.abs(x) - 0.5)


def _hole(x, y):
    return _disc(x, y, 0, 0.15, 0.17)


def _valves(x, y):
    return np.maximum(_rows(x - 0.1, y, 0.2, 0.06), _box(x, y, -0.45, -0.3, 0.25, 0.3))


def _skin(x, y):
    return _disc(x, y, 0, 0.75, 0.15)


def _bars(x, y):
    return _box(x, y, -1, -0.06, 1, 0.06)


LOOKS = {
    "accordion": Look(accordion, _bellows, (0.75, 0.10, 0.20), (0.95, 0.95, 0.90)),
    "acoustic_guitar": Look(
        acoustic_guitar, _hole, (0.90, 0.65, 0.25), (0.20, 0.10, 0.05)
    ),
    "cello": Look(cello, _strings, (0.40, 0.14, 0.06), (0.85, 0.80, 0.65)),
    "clarinet": Look(clarinet, _keys, (0.08, 0.08, 0.12), (0.75, 0.78, 0.85)),
    "erhu": Look(erhu, _skin, (0.35, 0.05, 0.30), (0.80, 0.75, 0.85)),
    "flute": Look(flute, _flute_keys, (0.78, 0.84, 0.90), (0.35, 0.40, 0.50)),
    "saxophone": Look(
        saxophone, _saxophone_keys, (0.95, 0.85, 0.10), (0.55, 0.40, 0.05)
    ),
    "trumpet": Look(trumpet, _valves, (0.95, 0.55, 0.05), (0.98, 0.95, 0.75)),
    "tuba": Look(tuba, _valves, (0.15, 0.45, 0.55), (0.75, 0.90, 0.90)),
    "violin": Look(violin, _strings, (0.65, 0.30, 0.10), (0.95, 0.90, 0.75)),
    "xylophone": Look(xylophone, _bars, (0.30, 0.65, 0.25), (0.95, 0.95, 0.95)),
}
