"""Do features of time steps tell when they are? Probes that need no labels."""

import numpy as np

# Penalty of ridge regression, relative to the mean variance of a feature.
RIDGE = 1e-2


def step_match(short, long, short_times, long_times):
    """Does a step of a short clip find its own among those of the long one?

    Args:
        short: array `(N, Ts, D)`. Features of the steps of short clips.
        long: array `(N, Tl, D)`. Of the long clips around them.
        short_times: array `(N, Ts)`, in raw frames.
        long_times: array `(N, Tl)`, in raw frames.

    Returns:
        Dict of `accuracy`, the share of short steps whose most similar (cosine)
        long step is the nearest in time; `chance`; `mean_absolute_error`, in raw
        frames; and `ends` and `middle`, the accuracy where the long step is one of
        the two outermost, and elsewhere (NaN where there is none). Ends that do
        much better hint at padding rather than content; `ends_share` of all steps
        are such.

    Example:
    ```python
    step_match(short, long, short_times, long_times)["accuracy"]
    ```

    Reference: note of TeG (arXiv:2112.04480), sections 7 and 9.
    """
    similarity = np.einsum("nsd,nld->nsl", _unit(short), _unit(long))
    found = similarity.argmax(axis=-1)
    distance = np.abs(short_times[:, :, None] - long_times[:, None, :])
    right = distance.argmin(axis=-1)
    hits = found == right
    at_end = (right == 0) | (right == long.shape[1] - 1)
    error = np.take_along_axis(distance, found[..., None], axis=-1)
    return {
        "accuracy": float(hits.mean()),
        "chance": 1 / long.shape[1],
        "mean_absolute_error": float(error.mean()),
        "ends": _mean(hits[at_end]),
        "middle": _mean(hits[~at_end]),
        "ends_share": float(at_end.mean()),
    }


def time_regression(train, test, ridge=RIDGE):
    """How well a ridge regression reads the place in its clip off a step.

    Args:
        train: array `(N, T, D)`. Features of the steps of some clips.
        test: array `(M, T, D)`. Of others.
        ridge: float. Penalty, relative to the mean variance of a feature.
            Defaults to `0.01`.

    Returns:
        float, R^2 on the test clips: 1 is perfect, 0 no better than the mean.

    Example:
    ```python
    time_regression(steps[:100], steps[100:])
    ```

    Reference: note of TeG (arXiv:2112.04480), sections 6 and 9.
    """
    place = np.linspace(0, 1, train.shape[1])
    predict = _ridge(_rows(train), np.tile(place, len(train)), ridge)
    truth = np.tile(place, len(test))
    error = np.square(predict(_rows(test)) - truth).mean()
    return float(1 - error / truth.var())


def order_accuracy(train, test, ridge=RIDGE):
    """How well a linear probe tells which of two steps of a clip is earlier.

    The probe scores a step, and the lower score is taken for the earlier one:
    what a linear probe of both steps, either way round, comes down to.

    Args:
        train: array `(N, T, D)`. Features of the steps of some clips.
        test: array `(M, T, D)`. Of others.
        ridge: float. As for `time_regression`. Defaults to `0.01`.

    Returns:
        float in [0, 1]; chance is 0.5.

    Example:
    ```python
    order_accuracy(steps[:100], steps[100:])
    ```

    Reference: note of TeG (arXiv:2112.04480), section 6.
    """
    first, second = np.triu_indices(train.shape[1], 1)
    difference = _rows(train[:, second] - train[:, first])
    # Both ways round, so that the probe has no bias to learn.
    both = np.concatenate([difference, -difference])
    sides = np.repeat([1.0, -1.0], len(difference))
    predict = _ridge(both, sides, ridge)
    score = predict(_rows(test[:, second] - test[:, first]))
    return float(np.mean(score > 0) + 0.5 * np.mean(score == 0))


def temporal_variance_ratio(steps):
    """Share of the variance of steps that is within videos.

    Args:
        steps: array `(N, T, D)`. Features of the steps of N videos.

    Returns:
        float in [0, 1]: 0 if steps of a video are alike, 1 if videos are.

    Example:
    ```python
    temporal_variance_ratio(np.zeros((3, 4, 8)) + np.random.rand(3, 1, 8))  # 0.0
    ```

    Reference: note of TeG (arXiv:2112.04480), section 9.
    """
    steps = np.asarray(steps, np.float64)
    within = steps.var(axis=1).mean(axis=0).sum()
    total = _rows(steps).var(axis=0).sum()
    return float(within / total) if total > 0 else 0.0


def _ridge(features, target, penalty):
    """Least squares with a penalty on standardised features, as a function."""
    features = np.asarray(features, np.float64)
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    x = (features - mean) / scale
    gram = x.T @ x + penalty * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (target - target.mean()))

    def predict(rows):
        return (np.asarray(rows, np.float64) - mean) / scale @ weights + target.mean()

    return predict


def _rows(steps):
    return np.reshape(steps, (-1, steps.shape[-1]))


def _unit(steps):
    norm = np.linalg.norm(steps, axis=-1, keepdims=True)
    return steps / np.maximum(norm, 1e-12)


def _mean(values):
    return float(values.mean()) if values.size else float("nan")
