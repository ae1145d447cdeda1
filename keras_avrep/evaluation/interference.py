"""How well quiet sources are heard, and how well unseen ones are erased."""

import numpy as np

from keras_avrep.evaluation.average_precision import tied_average_precision

LEVELS = (0.0, -5.0, -10.0, -15.0, -20.0)


def level_wise_average_precision(scores, levels_db, edges=LEVELS, threshold=0.5):
    """How well sources are identified, by how much quieter than the loudest they are.

    For each range of levels, take the samples that hold a source in it. Positives
    are these sources; negatives are the classes those samples do not hold; sources
    at other levels count for neither. All pairs of sample and class are ranked
    together. So ranges differ in how hard, not in how frequent positives are.

    Args:
        scores: array `(N, K)`. How surely each class is audible.
        levels_db: array `(N, K)`. Level of each source in dB relative to any
            reference; NaN for classes that are not audible. What counts is the
            difference to the loudest source of the sample.
        edges: falling floats. A source belongs to the edge it is nearest to, the
            louder one of two. Defaults to (0, -5, -10, -15, -20).
        threshold: float. Score from which a class counts as audible, for F1.
            Defaults to 0.5.

    Returns:
        Dict from each edge, and `"all"`, to a dict of `average_precision`, `f1`,
        `chance` (share of positives: average precision of a constant) and
        `count` (positives). NaN where there are no positives.

    Raises:
        ValueError: if the shapes differ or a score is no number.

    Example:
    ```python
    levels = [[0.0, -10.0, np.nan]]
    result = level_wise_average_precision([[0.9, 0.2, 0.4]], levels)
    result[0.0]["average_precision"], result[-10.0]["average_precision"]  # 1, 0.5
    ```

    Reference: note of IEr (arXiv:2202.06406), section 6.
    """
    scores = np.asarray(scores, np.float64)
    levels = np.asarray(levels_db, np.float64)
    if scores.ndim != 2 or scores.shape != levels.shape:
        raise ValueError(
            f"`scores` has the shape {scores.shape} and `levels_db` {levels.shape}; "
            "give both as (samples, classes)."
        )
    if np.isnan(scores).any():
        raise ValueError("`scores` holds what is no number; check the model.")
    audible = ~np.isnan(levels)
    loudest = np.where(audible, levels, -np.inf).max(axis=1, initial=-np.inf)
    relative = (
        np.where(audible, levels, 0.0)
        - np.where(np.isfinite(loudest), loudest, 0.0)[:, None]
    )
    # argmin takes the first, hence the louder, of two that are equally near.
    nearest = np.abs(relative[..., None] - np.asarray(edges)).argmin(axis=-1)
    result = {"all": _identification(scores, audible, ~audible, threshold)}
    for number, edge in enumerate(edges):
        positive = audible & (nearest == number)
        negative = ~audible & positive.any(axis=1, keepdims=True)
        result[edge] = _identification(scores, positive, negative, threshold)
    return result


def off_screen_mass(shares, audible, visible):
    """How much of a distribution over classes goes to what is heard but not seen.

    Args:
        shares: array `(N, K)`. Distributions: rows sum to 1.
        audible: bool array `(N, K)`.
        visible: bool array `(N, K)`.

    Returns:
        Dict of `mass`, the mean over the samples that have an unseen source, and
        `uniform`, what a uniform distribution would give; NaN without such
        samples.

    Raises:
        ValueError: if the shapes differ.

    Example:
    ```python
    off_screen_mass([[0.5, 0.25, 0.25]], [[1, 1, 0]], [[1, 0, 1]])["mass"]  # 0.25
    ```

    Reference: note of IEr (arXiv:2202.06406), section 6.
    """
    shares, unseen = _unseen(shares, audible, visible, "shares")
    some = unseen.any(axis=1)
    if not some.any():
        return {"mass": np.nan, "uniform": np.nan}
    mass = np.where(unseen, shares, 0.0).sum(axis=1)[some]
    return {
        "mass": float(mass.mean()),
        "uniform": float(unseen.mean(axis=1)[some].mean()),
    }


def off_screen_energy(maps, audible, visible):
    """How strongly the maps of classes that are heard but not seen still light up.

    Args:
        maps: array `(N, h, w, K)`.
        audible: bool array `(N, K)`.
        visible: bool array `(N, K)`.

    Returns:
        float. Mean of the maxima of those maps; NaN if there are none.

    Raises:
        ValueError: if the shapes differ.

    Example:
    ```python
    off_screen_energy(maps, audible, visible)
    ```

    Reference: note of IEr (arXiv:2202.06406), section 6.
    """
    peaks = np.asarray(maps, np.float64).max(axis=(1, 2))
    peaks, unseen = _unseen(peaks, audible, visible, "maps")
    return float(peaks[unseen].mean()) if unseen.any() else float("nan")


def _unseen(values, audible, visible, argument):
    values = np.asarray(values, np.float64)
    audible, visible = np.asarray(audible, bool), np.asarray(visible, bool)
    if not values.shape == audible.shape == visible.shape:
        raise ValueError(
            f"`{argument}` is for {values.shape} samples and classes, `audible` for "
            f"{audible.shape}, `visible` for {visible.shape}; make them agree."
        )
    return values, audible & ~visible


def _identification(scores, positive, negative, threshold):
    taken = positive | negative
    ranked, truth = scores[taken], positive[taken]
    count = int(truth.sum())
    if not count:
        nan = float("nan")
        return {"average_precision": nan, "f1": nan, "chance": nan, "count": 0}
    found = ranked >= threshold
    return {
        "average_precision": tied_average_precision(ranked, truth),
        "f1": float(2 * (found & truth).sum() / (found.sum() + count)),
        "chance": count / len(truth),
        "count": count,
    }
