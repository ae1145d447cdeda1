"""What is heard in a frame, seen or not."""

import numpy as np

AUDIBLE = 0.5


def audible_clusters(scores, names=None, level=AUDIBLE):
    """The clusters that are heard, the surest first.

    Args:
        scores: array `(K,)`. How surely each cluster is heard; of
            `InterferenceEraser` cosines in [-1, 1].
        names: K strings, what the clusters stand for, or `None` for one that stands
            for nothing. Of clusters with one name the surest counts. Defaults to
            `None`, no names.
        level: float. What a score must exceed. Defaults to 0.5.

    Returns:
        List of dicts of `cluster`, `name` (`None` without one) and `score`. Empty if
        nothing is heard.

    Raises:
        ValueError: if there are not as many names as scores.

    Example:
    ```python
    maps = localize_video(model, "street.mp4")
    audible_clusters(maps.audible_scores[0], names)
    ```

    Reference: note of IEr (arXiv:2202.06406), section 3.6.
    """
    scores = np.asarray(scores, np.float64)
    names = [None] * len(scores) if names is None else list(names)
    if len(names) != len(scores):
        raise ValueError(f"`names` has {len(names)}; there are {len(scores)} scores.")
    heard, told = [], set()
    for cluster in np.argsort(-scores, kind="stable").tolist():
        name = names[cluster]
        if not scores[cluster] > level or (name is not None and name in told):
            continue
        told.add(name)
        score = round(float(scores[cluster]), 6)
        heard.append({"cluster": cluster, "name": name, "score": score})
    return heard
