"""How well a localiser says what sounds where, beside what looks at nothing."""

import numpy as np

from keras_avrep.evaluation.cluster_matching import (
    match_clusters,
    normalised_mutual_information,
    sum_cluster_maps,
)
from keras_avrep.evaluation.interference import (
    level_wise_average_precision,
    off_screen_energy,
    off_screen_mass,
)
from keras_avrep.evaluation.localization import (
    GRID,
    THRESHOLD,
    class_aware_scores,
    localization_scores,
)
from keras_avrep.evaluation.localization_floors import (
    class_aware_floors,
    localization_floors,
)
from keras_avrep.evaluation.map_entropy import map_entropy
from keras_avrep.evaluation.moment_maps import dominant_clusters, predict_moments
from keras_avrep.evaluation.silent_objects import sounding_over_silent
from keras_avrep.evaluation.sounding_truth import known_classes, sounding_truth

# As the released scripts have it: of composites, and of duets, where all sound.
COMPOSITE_THRESHOLD, DUET_THRESHOLD = 0.5, 0.2


def evaluate_localiser(
    model,
    records,
    solo_records=None,
    cluster_names=None,
    *,
    size=224,
    duration=1.0,
    sample_rate=16000,
    threshold=None,
    prior_records=None,
    seed=0,
    grid=GRID,
    batch_size=32,
    progress=None,
):
    """Scores of a localiser, with floors and controls beside each.

    What a cluster stands for is found on solos with labels, or given. Moments with
    one object that sounds are scored without classes, all others class by class.

    Args:
        model: as of `localize_video`.
        records: list of `keras_avrep.data.MomentRecord` with boxes, held out.
        solo_records: moments with one source and the label `class`, of the training
            videos, for `match_clusters`. Defaults to `None`.
        cluster_names: a class for each cluster, where there are no `solo_records`.
            Defaults to `None`.
        size: int. Height and width the model takes, in pixels. Defaults to 224.
        duration: float. Seconds of sound it takes. Defaults to 1.
        sample_rate: int. In Hz. Defaults to 16000.
        threshold: float or `None`. Of a map's maximum, class by class. Defaults to
            `None`: 0.5, or 0.2 where everything that is seen sounds.
        prior_records: moments whose boxes the floor `average_mask` is made of.
            Defaults to `None`, `records` themselves: an oracle.
        seed: int. Of the control with shuffled sound. Defaults to 0.
        grid: int. As of `localization_scores`. Defaults to 224.
        batch_size: int. Defaults to 32.
        progress: called with (moments done, moments in all), the control and the
            solos among them. Defaults to `None`.

    Returns:
        Pair of a dict that JSON can hold and the `MomentMaps` of the records. The
        dict has `moments`, `rejected`, `classes`, `clusters` (their names, and how
        well they follow the classes) and, as far as there are such moments, `solo`
        and `mixtures`. Each of these has the scores of the `model`, of the model
        with `shuffled` sound, and `floors`; `mixtures` also of `correspondence`, the
        sounding map taken for every class. Unknown numbers are `None`.

    Raises:
        ValueError: if the model is no localiser, nothing can be read, or mixtures
            are to be scored and nothing says what clusters stand for.

    Example:
    ```python
    manifest = keras_avrep.data.read_orchestra("composites")
    scores, maps = evaluate_localiser(
        model, manifest.split("test"), cluster_names=names, size=96
    )
    scores["mixtures"]["model"]["ciou_at_30"]
    ```

    Reference: notes of CSOL (arXiv:2112.11749), section 6, and IEr
    (arXiv:2202.06406), section 6.
    """
    clip = {"size": size, "duration": duration, "sample_rate": sample_rate}
    counted = _Counted(progress, 2 * len(records) + len(solo_records or ()))
    clip |= {"batch_size": batch_size, "progress": counted}
    maps = predict_moments(model, records, **clip)
    named = _named_clusters(model, solo_records, cluster_names, maps, clip)
    classes, mapping, clusters = named
    truth = sounding_truth(maps.records, classes)
    solo = truth.solo
    if mapping is None and not solo.all():
        raise ValueError(
            "Nothing says what the clusters stand for; give `solo_records` with the "
            "label `class`, or `cluster_names`."
        )
    shuffled = None
    if len(maps.records) > 1:
        shuffled = predict_moments(model, maps.records, shuffle_sound=seed, **clip)
    counted.finish()
    prior = prior_records and sounding_truth(prior_records).boxes
    results = {
        "moments": len(maps.records),
        "rejected": len(maps.rejects),
        "classes": classes,
        "clusters": clusters,
    }
    versions = {"model": maps, "shuffled": shuffled}
    versions = {name: v for name, v in versions.items() if v is not None}
    for name, chosen, score in (
        ("solo", solo, _solo_results),
        ("mixtures", ~solo, _mixture_results),
    ):
        rows = np.flatnonzero(chosen)
        if len(rows):
            part = {version: v.take(rows) for version, v in versions.items()}
            options = mapping, prior, threshold, grid
            results[name] = score(part, truth.take(rows), *options)
    return for_json(results), maps


class _Counted:
    """Progress over several passes."""

    def __init__(self, progress, total):
        self.progress = progress or (lambda done, total: None)
        self.total, self.before = total, 0

    def __call__(self, done, total):
        # The end is told once, whatever had to be left out.
        self.progress(min(self.before + done, self.total - 1), self.total)
        if done == total:
            self.before += done

    def finish(self):
        self.progress(self.total, self.total)


def for_json(value):
    """Numbers that JSON can hold: no arrays, and `None` for what is unknown."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not isinstance(v, np.ndarray)}
        return {str(k): for_json(v) for k, v in kept.items()}
    if isinstance(value, (list, tuple)):
        return [for_json(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), 6) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


# --- clusters ----------------------------------------------------------------


def _named_clusters(model, solo_records, cluster_names, maps, clip):
    """Classes, the class of each cluster (or `None`), and what to say of it."""
    count = maps.class_maps.shape[-1]
    found = known_classes(maps.records)
    if solo_records:
        solos = predict_moments(model, solo_records, **clip)
        labels = [record.labels["class"] for record in solos.records]
        classes = sorted({*found, *labels})
        ids, truth = dominant_clusters(solos), [classes.index(x) for x in labels]
        mapping = match_clusters(ids, truth, count, len(classes))
        said = {
            "moments": len(labels),
            "accuracy": float(np.mean(mapping[ids] == truth)),
            "chance": float(np.bincount(truth).max() / len(truth)),
            "nmi": normalised_mutual_information(ids, truth),
        }
    elif cluster_names:
        if len(cluster_names) != count:
            raise ValueError(
                f"`cluster_names` has {len(cluster_names)}; the model has {count} "
                "clusters."
            )
        classes = sorted({*found, *(str(name) for name in cluster_names if name)})
        mapping = [classes.index(str(x)) if x else -1 for x in cluster_names]
        mapping, said = np.array(mapping), {}
    else:
        return found, None, {}
    names = [classes[k] if k >= 0 else None for k in mapping]
    return classes, mapping, {"names": names, **said}


# --- one source --------------------------------------------------------------


def _solo_results(versions, truth, mapping, prior, threshold, grid):
    results = {"moments": len(truth.boxes), "threshold": THRESHOLD}
    for name, maps in versions.items():
        results[name] = localization_scores(
            maps.sounding_maps, truth.boxes, THRESHOLD, grid
        )
        if mapping is not None:
            said = mapping[dominant_clusters(maps)]
            right = [k in ids for k, ids in zip(said, truth.class_ids, strict=True)]
            results[name]["class_accuracy"] = float(np.mean(right))
    results["floors"] = localization_floors(truth.boxes, prior, grid)
    most = np.bincount(np.concatenate(truth.class_ids)).max() / len(truth.boxes)
    results["floors"]["most_frequent_class"] = {"class_accuracy": float(most)}
    return results


# --- several -----------------------------------------------------------------


def _mixture_results(versions, truth, mapping, prior, threshold, grid):
    count = len(truth.classes)
    if threshold is None:
        threshold = DUET_THRESHOLD if truth.all_sound else COMPOSITE_THRESHOLD
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
        # A class is heard as surely as the surest of its clusters.
        scores = np.zeros_like(levels)
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
