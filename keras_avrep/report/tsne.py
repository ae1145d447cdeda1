"""Puts points that are near in many dimensions near on a plane."""

import numpy as np

PERPLEXITY = 20.0
STEPS = 350
EXAGGERATED_STEPS = 90


def plane(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Exact t-SNE `(N, 2)` of a few hundred feature vectors, started from their PCA.

    Args:
        features: float array `(N, D)`.
        seed: int. Of the jitter that separates equal points.
    """
    points = _unit_rows(np.asarray(features, "float64"))
    start = _pca(points)
    if len(points) < 8:
        return start
    jitter = np.random.default_rng(seed).normal(size=start.shape)
    spread = start.std() or 1.0
    return _descend(_affinities(points), 1e-2 * start / spread + 1e-4 * jitter)


def _unit_rows(points: np.ndarray) -> np.ndarray:
    # Retrieval compares directions from the mean, so the map does too.
    points = points - points.mean(axis=0)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.maximum(length, 1e-12)


def _pca(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred, full_matrices=False)
    flat = left[:, :2] * scale[:2]
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def _squared_distances(points: np.ndarray) -> np.ndarray:
    norms = (points**2).sum(axis=1)
    return np.maximum(norms[:, None] + norms[None] - 2 * points @ points.T, 0)


def _affinities(points: np.ndarray) -> np.ndarray:
    """Symmetric neighbour probabilities, every row tuned to one perplexity."""
    n = len(points)
    distances = _squared_distances(points)
    distances /= max(distances.mean(), 1e-12)
    np.fill_diagonal(distances, np.inf)
    target = np.log(min(PERPLEXITY, (n - 1) / 3))
    low, high = np.full(n, -10.0), np.full(n, 14.0)
    for _ in range(40):
        middle = (low + high) / 2
        logits = -distances * np.exp(middle)[:, None]
        logits -= logits.max(axis=1, keepdims=True)
        weights = np.exp(logits)
        weights /= weights.sum(axis=1, keepdims=True)
        entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)
        low = np.where(entropy > target, middle, low)
        high = np.where(entropy > target, high, middle)
    return np.maximum((weights + weights.T) / (2 * n), 1e-12)


def _descend(affinities: np.ndarray, flat: np.ndarray) -> np.ndarray:
    rate = max(len(flat) / 12, 20.0)
    velocity, gains = np.zeros_like(flat), np.ones_like(flat)
    for step in range(STEPS):
        early = step < EXAGGERATED_STEPS
        kernel = 1 / (1 + _squared_distances(flat))
        np.fill_diagonal(kernel, 0)
        pull = (12 if early else 1) * affinities - kernel / kernel.sum()
        pull *= kernel
        slope = 4 * (pull.sum(axis=1, keepdims=True) * flat - pull @ flat)
        gains = np.where(slope * velocity < 0, gains + 0.2, gains * 0.8).clip(0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * slope
        flat = flat + velocity
        flat -= flat.mean(axis=0)
    return flat
