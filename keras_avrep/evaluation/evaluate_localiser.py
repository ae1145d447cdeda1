"""How well a localiser says what sounds where, beside what looks at nothing."""

import numpy as np

from keras_avrep.evaluation.cluster_matching import (
    match_clusters,
    normalised_mutual_information,
)
from keras_avrep.evaluation.localization import GRID
from keras_avrep.evaluation.moment_maps import dominant_clusters, predict_moments
from keras_avrep.evaluation.moment_scores import (
    THRESHOLDS,
    mixture_scores,
    solo_scores,
    threshold_of,
)
from keras_avrep.evaluation.sounding_truth import known_classes, sounding_truth


def evaluate_localiser(
    model,
    records,
    solo_records=None,
    cluster_names=None,
    *,
    kind=None,
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
    one object that sounds are scored without classes, all others class by class,
    unless `kind` says it of all of them. Those without a box of what sounds are left
    out, where levels do not say what sounds either.

    Args:
        model: as of `localize_video`.
        records: list of `keras_avrep.data.MomentRecord` with boxes, held out.
        solo_records: moments with one source and the label `class`, of the training
            videos, for `match_clusters`. Defaults to `None`.
        cluster_names: a class for each cluster, where there are no `solo_records`.
            Defaults to `None`.
        kind: string or `None`. What the set is: `"solo"` scores every moment that
            has a box without classes, `"duet"` and `"composite"` every one class by
            class, also where one box is left. Defaults to `None`: each moment by what
            is seen and heard in it.
        size: int. Height and width the model takes, in pixels. Defaults to 224.
        duration: float. Seconds of sound it takes. Defaults to 1.
        sample_rate: int. In Hz. Defaults to 16000.
        threshold: float or `None`. Of a map's maximum; without a `kind` that of maps
            class by class. Defaults to `None`: 0.1 for solos, 0.2 for duets and 0.5
            for composites; without a `kind`, mixtures are duets where everything that
            is seen sounds, else composites.
        prior_records: moments whose boxes the floor `average_mask` is made of.
            Defaults to `None`, `records` themselves: an oracle.
        seed: int. Of the control with shuffled sound. Defaults to 0.
        grid: int. As of `localization_scores`. Defaults to 224.
        batch_size: int. Defaults to 32.
        progress: called with (moments done, moments in all), the control and the
            solos among them. Defaults to `None`.

    Returns:
        Pair of a dict that JSON can hold and the `MomentMaps` of the records. The
        dict has `kind`, `moments`, `rejected`, `without_boxes` (how many were left out
        for that), `classes`, `clusters` (their names, and how well they follow the
        classes) and, as far as there are such moments, `solo` and `mixtures`. Each of
        these has the scores of the `model`, of the model with `shuffled` sound, and
        `floors`; `mixtures` also of `correspondence`, the sounding map taken for every
        class. Unknown numbers are `None`.

    Raises:
        ValueError: if the model is no localiser, nothing can be read or scored, the
            kind is unknown, or mixtures are to be scored and nothing says what
            clusters stand for.

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
    scored = _scored(records, kind)
    clip = {"size": size, "duration": duration, "sample_rate": sample_rate}
    counted = _Counted(progress, 2 * len(scored) + len(solo_records or ()))
    clip |= {"batch_size": batch_size, "progress": counted}
    maps = predict_moments(model, scored, **clip)
    named = _named_clusters(model, solo_records, cluster_names, maps, clip)
    classes, mapping, clusters = named
    truth = sounding_truth(maps.records, classes)
    solo = truth.solo if kind is None else np.full(len(maps.records), kind == "solo")
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
        "kind": kind,
        "moments": len(maps.records),
        "rejected": len(maps.rejects),
        "without_boxes": len(records) - len(scored),
        "classes": classes,
        "clusters": clusters,
    }
    versions = {"model": maps, "shuffled": shuffled}
    versions = {name: v for name, v in versions.items() if v is not None}
    for name, chosen, score in (
        ("solo", solo, solo_scores),
        ("mixtures", ~solo, mixture_scores),
    ):
        rows = np.flatnonzero(chosen)
        if len(rows):
            part = {version: v.take(rows) for version, v in versions.items()}
            true = truth.take(rows)
            level = threshold_of(name, true, kind, threshold)
            results[name] = score(part, true, mapping, prior, level, grid)
    return for_json(results), maps


def _scored(records, kind):
    """The records that say what sounds; of solos, those that say where."""
    if kind is not None and kind not in THRESHOLDS:
        raise ValueError(
            f"`kind` must be None or one of {tuple(THRESHOLDS)}, got {kind!r}."
        )
    scored = [
        r for r in records if any(r.box_sounding) or (r.levels and kind != "solo")
    ]
    if records and not scored:
        raise ValueError(
            f"None of the {len(records)} moments has a box of what sounds; give "
            "moments whose boxes are known."
        )
    return scored


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
