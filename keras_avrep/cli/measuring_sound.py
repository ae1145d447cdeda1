"""What `evaluate` measures of a localiser, and keeps for the report."""

from pathlib import Path

from keras_avrep.cli.truth_folders import (
    kind_of,
    labelled_solos,
    read_boxed,
    read_truth,
)

SHOWN = 6


def measure_localiser(
    model,
    folder,
    data,
    clip,
    *,
    solo=None,
    boxes=None,
    kind=None,
    threshold=None,
    threads,
    seed,
    say,
):
    """Scores with floors and controls; pictures go into a folder.

    Args:
        model: as of `keras_avrep.evaluation.evaluate_localiser`.
        folder: path, or `None` to keep nothing.
        data: folder of videos of the world `orchestra`, or of synthetic mixtures; with
            `boxes` of videos cut into seconds, as MUSIC is. Or a manifest of moments.
        clip: dict of `size`, `duration`, `sample_rate` and `cluster_names`, a name
            for each cluster or `None`.
        solo: labelled solos to name the clusters by, given alike. Defaults to `None`:
            `cluster_names`, else the solos that are in `data` to train on.
        boxes: `solotest.json`, `duettest.json` or `audioset_box.json`. Defaults to
            `None`: `data` has its own.
        kind: as of `evaluate_localiser`. Defaults to `None`: what the name of `boxes`
            says, and composites for synthetic mixtures; of other moments each by what
            its boxes say.
        threshold: as of `evaluate_localiser`. Defaults to `None`.
        threads: int. Videos opened at a time.
        seed: int. Of the control with shuffled sound.
        say: called with each line of text.

    Returns:
        Dict, as of `evaluate_localiser`.
    """
    from keras_avrep.cli.progress import Progress
    from keras_avrep.evaluation import evaluate_localiser

    manifest = read_boxed(data, boxes) if boxes else read_truth(data, threads)
    test = manifest.split("test")
    if not any(any(r.box_sounding) for r in test):
        raise ValueError(
            f"{data} has no test split with boxes of what sounds; boxes of MUSIC and "
            "AudioSet are files of their own, given by --boxes."
        )
    train = [r for r in manifest.records if r.split != "test"]
    names = None if solo else clip.get("cluster_names")
    solos = None
    if names is None:
        of = manifest.records if solo is None else read_truth(solo, threads).records
        solos = labelled_solos([r for r in of if r.split != "test"])
    results, maps = evaluate_localiser(
        model,
        test,
        solos,
        names,
        kind=kind or kind_of(manifest, test, boxes),
        threshold=threshold,
        size=clip["size"],
        duration=clip["duration"],
        sample_rate=clip["sample_rate"],
        prior_records=[r for r in train if any(r.box_sounding)] or None,
        seed=seed,
        progress=Progress("moments"),
    )
    for reject in [*manifest.rejects, *maps.rejects]:
        say(f"left out: {reject['path']}: {reject['reason']}")
    if results["without_boxes"]:
        say(f"left out: {results['without_boxes']} moments without a box")
    show_scores(results, say)
    if folder is not None:
        write_sounding(Path(folder) / "sounding.npz", results, maps, clip["size"])
    return results


def show_scores(results, say):
    """Print the scores and the best floor of each part."""
    measures = {"solo": "iou_at_50", "mixtures": "ciou_at_30"}
    for part, first in measures.items():
        found = results.get(part)
        if not found:
            continue
        say(f"{part}: {found['moments']} moments")
        rows = {k: found[k] for k in ("model", "shuffled") if k in found}
        if "correspondence" in found:
            rows["one map for all classes"] = found["correspondence"]
        rows |= {k.replace("_", " "): v for k, v in found.get("floors", {}).items()}
        for name, scores in rows.items():
            keys = (first, "auc", "nsa", "sounding_over_silent")
            shown = {k: scores.get(k) for k in keys}
            text = "  ".join(f"{k} {v:.1%}" for k, v in shown.items() if v is not None)
            if text:
                say(f"  {name}: {text}")


def write_sounding(path, results, maps, size):
    """Pictures of held-out moments, what is true and what the model says.

    Some are taken evenly, and those where maps and truth agree least.

    Args:
        path: the `.npz` file.
        results: as of `evaluate_localiser`.
        maps: `keras_avrep.evaluation.MomentMaps` of the same moments.
        size: int. Height and width of the pictures.
    """
    import numpy as np

    from keras_avrep.data import read_moment
    from keras_avrep.data.files import replacing
    from keras_avrep.evaluation import sum_cluster_maps

    names = results["classes"]
    clusters = results["clusters"].get("names")
    class_maps = maps.class_maps
    if clusters:
        mapping = [names.index(name) if name else -1 for name in clusters]
        class_maps = sum_cluster_maps(class_maps, mapping, len(names))
    else:
        names = [f"cluster {k}" for k in range(class_maps.shape[-1])]
    overlaps, threshold = agreement(results, maps, class_maps, names)
    rows, kinds = chosen_moments(overlaps)
    records = [maps.records[row] for row in rows]
    frames = [read_moment(r, size, len(r.pictures) // 2)["frame"] for r in records]
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            frames=np.stack(frames),
            class_maps=class_maps[rows].astype(np.float16),
            sounding_maps=maps.sounding_maps[rows].astype(np.float16),
            names=np.array(names, dtype=str),
            moments=np.array([r.moment_id for r in records], dtype=str),
            kinds=np.array(kinds, dtype=str),
            overlaps=overlaps[rows],
            threshold=threshold,
            **truth_arrays(records),
            **found_arrays(class_maps[rows], maps.sounding_maps[rows], names),
        )


def agreement(results, maps, class_maps, names):
    """How far maps and truth agree, `(N,)`, and the threshold of the maps."""
    import numpy as np

    from keras_avrep.evaluation import (
        class_aware_scores,
        localization_scores,
        sounding_truth,
    )

    if "mixtures" not in results:
        truth = sounding_truth(maps.records)
        threshold = results["solo"]["threshold"]
        scores = localization_scores(maps.sounding_maps, truth.boxes, threshold)
        return scores["overlaps"], threshold
    truth = sounding_truth(maps.records, names)
    threshold = results["mixtures"]["threshold"]
    scores = class_aware_scores(class_maps, truth.boxes, truth.class_ids, threshold)
    overlaps = scores["overlaps"]
    if "solo" not in results:
        return overlaps, threshold
    # Where there are mixtures, they are what is shown.
    return np.where(truth.solo, np.nan, overlaps), threshold


def chosen_moments(overlaps, count=SHOWN):
    """Some moments taken evenly, and the worst of the others."""
    import numpy as np

    known = np.flatnonzero(~np.isnan(overlaps))
    places = np.linspace(0, len(known) - 1, min(count, len(known))).round().astype(int)
    typical = known[np.unique(places)]
    left = np.setdiff1d(known, typical)
    worst = left[np.argsort(overlaps[left], kind="stable")][:count]
    kinds = ["typical"] * len(typical) + ["worst"] * len(worst)
    return np.concatenate([typical, worst]), kinds


def truth_arrays(records):
    """All boxes of some moments in one row, with the moment each is of."""
    import numpy as np

    numbered = [
        (row, box, name, on)
        for row, r in enumerate(records)
        for box, name, on in zip(r.boxes, r.box_labels, r.box_sounding, strict=True)
    ]
    return {
        "truth_moment": np.array([row for row, _, _, _ in numbered], int),
        "truth_boxes": np.array([box for _, box, _, _ in numbered]).reshape(-1, 4),
        "truth_names": np.array([name for _, _, name, _ in numbered], dtype=str),
        "truth_sounding": np.array([on for _, _, _, on in numbered], bool),
    }


def found_arrays(class_maps, sounding_maps, names):
    """What the maps say sounds, in one row likewise."""
    import numpy as np

    from keras_avrep.evaluation import sounding_regions

    numbered = [
        (row, box, region)
        for row, pair in enumerate(zip(class_maps, sounding_maps, strict=True))
        for box, region in sounding_regions(*pair, names)
    ]
    side = next((region.shape[0] for _, _, region in numbered), 1)
    regions = np.array([region for _, _, region in numbered], bool)
    return {
        "found_moment": np.array([row for row, _, _ in numbered], int),
        "found_boxes": np.array([b["box"] for _, b, _ in numbered]).reshape(-1, 4),
        "found_names": np.array([b["name"] for _, b, _ in numbered], dtype=str),
        "found_scores": np.array([b["score"] for _, b, _ in numbered], float),
        "found_regions": regions.reshape(-1, side, side),
    }
