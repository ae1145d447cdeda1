"""From maps of what sounds to boxes of what sounds, silent objects left alone."""

import numpy as np
from scipy import ndimage

from keras_avrep.evaluation.localization import resize_map

GRID = 112
LEVEL = 0.5
SOUNDING_LEVEL = 0.5
THRESHOLD = 0.5
SMALLEST = 0.005


def map_boxes(
    class_map,
    sounding_map,
    names=None,
    level=LEVEL,
    sounding_level=SOUNDING_LEVEL,
    threshold=THRESHOLD,
    grid=GRID,
    smallest=SMALLEST,
):
    """Boxes of the objects that sound in a frame.

    Args:
        class_map: array `(h, w, K)`. At every place a distribution over clusters.
        sounding_map: array `(h, w)` in [0, 1].
        names: K strings, what the clusters stand for, or `None` for one that stands
            for nothing. Maps of clusters with one name are added up. Defaults to
            `None`, no names.
        level: float. What the map of a cluster must exceed somewhere in a region
            for the region to sound. Defaults to 0.5.
        sounding_level: float. What the sounding map must exceed at that place.
            Defaults to 0.5.
        threshold: float. A region is where the map of the cluster exceeds this
            share of its maximum. Defaults to 0.5.
        grid: int. Pixels a side that maps are resized to. Defaults to 112.
        smallest: float. Share of the picture that a region must have; less is the edge
            of something else. Defaults to 0.005.

    Returns:
        List of dicts, the surest first: `cluster` (the first of its name), `name`
        (`None` without one), `box` (relative `y1, x1, y2, x2`) and `score`, the
        largest value of the cluster's map where it sounds. Empty if nothing sounds.

    Raises:
        ValueError: if shapes do not fit.

    Example:
    ```python
    maps = localize_video(model, "duet.mp4")
    map_boxes(maps.class_maps[0], maps.sounding_maps[0], names)
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 3.4.
    """
    options = level, sounding_level, threshold, grid, smallest
    return [
        box for box, _ in sounding_regions(class_map, sounding_map, names, *options)
    ]


def sounding_regions(
    class_map,
    sounding_map,
    names=None,
    level=LEVEL,
    sounding_level=SOUNDING_LEVEL,
    threshold=THRESHOLD,
    grid=GRID,
    smallest=SMALLEST,
):
    """The boxes of `map_boxes`, each with the region that it surrounds.

    All arguments are those of `map_boxes`.

    Args:
        class_map: array `(h, w, K)`.

    Returns:
        List of pairs: a dict as of `map_boxes`, and a bool array `(grid, grid)`.

    Example:
    ```python
    for found, region in sounding_regions(class_map, sounding_map):
        print(found["box"], region.mean())
    ```
    """
    class_map, sounding_map = _checked(class_map, sounding_map, names)
    class_map, clusters = _by_name(class_map, names)
    # Maps without a peak in any cell have none between cells either.
    if not ((class_map > level) & (sounding_map > sounding_level)[..., None]).any():
        return []
    planes = resize_map(np.moveaxis(class_map, -1, 0), grid)
    sounds = resize_map(sounding_map, grid) > sounding_level
    found = []
    for cluster, plane in zip(clusters, planes, strict=True):
        heard = sounds & (plane > level)
        if not heard.any():
            continue
        parts, _ = ndimage.label(plane > threshold * plane.max())
        for number, place in enumerate(ndimage.find_objects(parts), 1):
            region = parts == number
            # A part that is silent may share its map with one that sounds.
            if not (region & heard).any() or region.mean() < smallest:
                continue
            rows, columns = place
            corners = [rows.start, columns.start, rows.stop, columns.stop]
            box = {
                "cluster": cluster,
                "name": _name(names, cluster),
                "box": [corner / grid for corner in corners],
                "score": float(plane[region & heard].max()),
            }
            found.append((box, region))
    return sorted(found, key=lambda pair: -pair[0]["score"])


def _name(names, cluster):
    named = names is not None and names[cluster] is not None
    return str(names[cluster]) if named else None


def _by_name(class_map, names):
    """Maps with those of one name added up, and the first cluster of each."""
    groups: dict = {}
    for cluster in range(class_map.shape[-1]):
        name = _name(names, cluster)
        groups.setdefault(cluster if name is None else name, []).append(cluster)
    maps = [class_map[..., group].sum(axis=-1) for group in groups.values()]
    return np.stack(maps, axis=-1), [group[0] for group in groups.values()]


def _checked(class_map, sounding_map, names):
    class_map = np.asarray(class_map, np.float64)
    sounding_map = np.asarray(sounding_map, np.float64)
    if class_map.ndim != 3 or sounding_map.shape != class_map.shape[:2]:
        raise ValueError(
            f"`class_map` has the shape {class_map.shape} and `sounding_map` "
            f"{sounding_map.shape}; give (h, w, clusters) and (h, w)."
        )
    if names is not None and len(names) != class_map.shape[-1]:
        raise ValueError(
            f"`names` has {len(names)} and `class_map` {class_map.shape[-1]} clusters."
        )
    return class_map, sounding_map
