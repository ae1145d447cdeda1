"""Maps whose cells do not sit in the middle of what they saw, put where they belong."""

import numpy as np

FINER = 4


def aligned_maps(maps, centre, finer=FINER):
    """Maps on a finer grid, shifted so that each value is where it was seen.

    A convolution of stride 2 that pads both sides alike sees places 0, 2, 4 …: the
    first pixel of each pair and not their middle. So after several of them cell i
    looks at the place `i * stride`, half a cell before the middle of its area, and
    its map drawn over the picture is half a cell too low and too far right.

    Args:
        maps: array `(N, h, w, ...)`.
        centre: float. Where in its cell a value belongs: 0.5 is the middle, 0 the
            upper left corner.
        finer: int. Cells of the result for one of `maps`, down and across. Defaults
            to 4.

    Returns:
        float32 array `(N, h * finer, w * finer, ...)`, linear between the values;
        `maps` themselves if `centre` is 0.5. What lies beyond the outermost values
        repeats them, so distributions remain distributions.

    Example:
    ```python
    aligned_maps(maps, centre=0.0).shape  # (N, 24, 24) of (N, 6, 6)
    ```
    """
    maps = np.asarray(maps, np.float32)
    if centre == 0.5:
        return maps
    for axis in (1, 2):
        count = maps.shape[axis]
        places = (np.arange(count * finer) + 0.5) / finer - centre
        places = np.clip(places, 0, count - 1)
        below = places.astype(int)
        above = np.minimum(below + 1, count - 1)
        share = (places - below).astype(np.float32)
        share = share.reshape([-1 if a == axis else 1 for a in range(maps.ndim)])
        maps = (1 - share) * maps.take(below, axis) + share * maps.take(above, axis)
    return maps


def aligned_clip_maps(maps, centre):
    """As `aligned_maps`, of the maps of clips.

    Args:
        maps: array `(N, t, h, w)`.
        centre: float. See `aligned_maps`.

    Returns:
        float32 array `(N, t, h * 4, w * 4)`; `maps` themselves if `centre` is 0.5.

    Example:
    ```python
    aligned_clip_maps(maps, model.backbone.map_centre)
    ```
    """
    maps = np.asarray(maps, np.float32)
    flat = aligned_maps(maps.reshape(-1, *maps.shape[2:]), centre)
    return flat.reshape(*maps.shape[:2], *flat.shape[1:])
