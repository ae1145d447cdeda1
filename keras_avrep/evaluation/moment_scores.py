"""Scores of maps of moments: with one source by where, with several by class."""

import numpy as np

from keras_avrep.evaluation.cluster_matching import sum_cluster_maps
from keras_avrep.evaluation.interference import (
    level_wise_average_precision,
    off_screen_energy,
    off_screen_mass,
)
from keras_avrep.evaluation.localization import (
    THRESHOLD,
    class_aware_scores,
    localization_scores,
)
from keras_avrep.evaluation.localization_floors import (
    class_aware_floors,
    localization_floors,
)
from keras_avrep.evaluation.map_entropy import map_entropy
from keras_avrep.evaluation.moment_maps import dominant_clusters
from keras_avrep.evaluation.silent_objects import sounding_over_silent

# Of a map's maximum, by kind, as the released scripts have it.
THRESHOLDS = {"solo": THRESHOLD, "duet": 0.2, "composite": 0.5}


def threshold_of(part, truth, kind=None, asked=None):
    """The share of a map's maximum above which it is positive.

    Args:
        part: string. `"solo"` or `"mixtures"`.
        truth: `SoundingTruth` of its moments.
        kind: string or `None`. What the whole set is. Defaults to `None`, both parts.
        asked: float or `None`. What is asked for; of both parts it is that of the
            mixtures. Defaults to `None`.

    Returns:
        float. Without a kind, mixtures where everything that is seen sounds are duets.
    """
    if kind is not None:
        return THRESHOLDS[kind] if asked is None else asked
    if part == "solo":
        return THRESHOLD
    if asked is not None:
        return asked
    return THRESHOLDS["duet" if truth.all_sound else "composite"]


def solo_scores(versions, truth, mapping, prior, threshold, grid):
    """Scores of moments with one source, by the map of what sounds.

    Args:
        versions: dict from name to the `MomentMaps` of the same moments.
        truth: `SoundingTruth` of them.
        mapping: the class of each cluster, or `None` if they stand for nothing.
        prior: boxes that a floor is made of, or `None`.
        threshold: float. Of a map's maximum.
        grid: int. As of `localization_scores`.

    Returns:
        Dict of `moments`, `threshold`, scores by version, and `floors`.
    """
    results = {"moments": len(truth.boxes), "threshold": threshold}
    for name, maps in versions.items():
        results[name] = localization_scores(
            maps.sounding_maps, truth.boxes, threshold, grid
        )
        if mapping is not None:
            said = mapping[dominant_clusters(maps)]
            right = [k in ids for k, ids in zip(said, truth.class_ids, strict=True)]
            results[name]["class_accuracy"] = float(np.mean(right))
    results["floors"] = localization_floors(truth.boxes, prior, grid)
    each = np.concatenate([np.unique(ids) for ids in truth.class_ids])
    most = np.bincount(each).max() / len(truth.boxes)
    results["floors"]["most_frequent_class"] = {"class_accuracy": float(most)}
    return results


# --- several -----------------------------------------------------------------


def mixture_scores(versions, truth, mapping, prior, threshold, grid):
    """Scores of moments with several sources, class by class.

    Args:
        versions: dict with `model` and others, as of `solo_scores`.
        truth: the same.
        mapping: the class of each cluster.
        prior: the same.
        threshold: the same.
        grid: the same.

    Returns:
        Dict as of `solo_scores`, and with the scores of `correspondence`.
    """
    count = len(truth.classes)
    results = {"moments": len(truth.boxes), "threshold": threshold}
    for name, maps in versions.items():
        classes = sum_cluster_maps(maps.class_maps, mapping, count)
        results[name] = {
            **_class_scores(classes, truth, threshold, grid),
            **map_entropy(maps.class_maps, truth.boxes),
            **_interference(maps, classes, truth, mapping),
        }
    plain = versions["model"].sounding_maps[..., None]
    plain = np.broadcast_to(plain, (*plain.shape[:-1], count))
    results["correspondence"] = _class_scores(plain, truth, threshold, grid)
    if any(len(placed) for placed in truth.boxes):
        results["floors"] = class_aware_floors(
            truth.boxes, truth.class_ids, count, prior, grid
        )
    return results


def _class_scores(maps, truth, threshold, grid):
    options = {"threshold": threshold, "grid": grid}
    scores = class_aware_scores(maps, truth.boxes, truth.class_ids, **options)
    silent = class_aware_scores(
        maps, truth.boxes, truth.class_ids, silent_ids=truth.silent_ids, **options
    )
    told = sounding_over_silent(
        maps,
        truth.boxes,
        truth.silent_boxes,
        truth.class_ids,
        truth.silent_box_ids,
    )
    return {
        **scores,
        "nsa_visible_silent": silent["nsa"],
        "sounding_over_silent": told,
    }


def _interference(maps, class_maps, truth, mapping):
    """What is heard at which level and what is not seen, if the model says it."""
    known = truth.levels_known
    if not known.any():
        return {}
    levels, visible = truth.levels_db[known], truth.visible[known]
    audible = ~np.isnan(levels)
    results = {
        "off_screen_energy": off_screen_energy(class_maps[known], audible, visible)
    }
    if maps.audible_scores is not None:
        # A class is heard as surely as the surest of its clusters; cosines may be
        # negative, and a class without one is heard least.
        scores = np.full(levels.shape, -1.0)
        for cluster, k in enumerate(mapping):
            if k >= 0:
                heard = maps.audible_scores[known, cluster]
                scores[:, k] = np.maximum(scores[:, k], heard)
        results["levels"] = level_wise_average_precision(scores, levels)
    if maps.audio_distribution is not None:
        shares = sum_cluster_maps(
            maps.audio_distribution[known], mapping, len(truth.classes)
        )
        results["off_screen"] = off_screen_mass(shares, audible, visible)
    return results
