"""A linear classifier on frozen features, by at most 200 iterations of L-BFGS."""

import numpy as np

from keras_avrep.evaluation.retrieval import normalise_features

REGULARISATION = tuple(10.0**e for e in (-5, -4, -3, -2))


def linear_probe_accuracy(
    train, test, train_labels, test_labels, regularisation=REGULARISATION, seed=0
):
    """Accuracy of multinomial logistic regression on standardised features.

    It is solved by at most 200 iterations of L-BFGS: with a strong penalty it mostly
    converges before, with a weak one it stops there. The penalty is chosen on a
    fifth of the training features, never on the test split.

    Args:
        train: array `(N, D)`.
        test: array `(M, D)`.
        train_labels: N labels.
        test_labels: M labels.
        regularisation: floats. Weights of the squared norm to choose from.
        seed: int. Of the fifth. Defaults to 0.

    Returns:
        float in [0, 1].

    Example:
    ```python
    linear_probe_accuracy(train.values, test.values, train_labels, test_labels)
    ```
    """
    classes, numbers = np.unique(np.asarray(train_labels), return_inverse=True)
    train, test = _standardise(train, test)
    best = regularisation[0]
    if len(regularisation) > 1:
        held = np.random.default_rng(seed).permutation(len(train)) < len(train) // 5
        scores = []
        for penalty in regularisation:
            weights = _fit(train[~held], numbers[~held], len(classes), penalty)
            scores.append((_predict(weights, train[held]) == numbers[held]).mean())
        best = regularisation[int(np.argmax(scores))]
    weights = _fit(train, numbers, len(classes), best)
    predicted = classes[_predict(weights, test)]
    return float((predicted == np.asarray(test_labels)).mean())


def chance_level(labels):
    """Accuracy of always naming the most frequent class.

    Args:
        labels: labels of the test split.

    Returns:
        float in [0, 1].

    Example:
    ```python
    keras_avrep.evaluation.chance_level(["run", "run", "jump", "sit"])  # 0.5
    ```
    """
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return float(counts.max() / counts.sum())


def _standardise(train, test):
    # Unit length first, as the note has it for frozen features (section 6.2).
    train, test = (normalise_features(x, centre=False) for x in (train, test))
    mean, scale = train.mean(axis=0), train.std(axis=0) + 1e-6
    return (train - mean) / scale, (test - mean) / scale


def _fit(x, y, num_classes, penalty):
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    target = np.eye(num_classes)[y]
    free = np.ones((x.shape[1], 1))
    free[-1] = 0  # the bias is not penalised

    def objective(flat):
        weights = flat.reshape(x.shape[1], num_classes)
        logits = x @ weights
        log_total = logsumexp(logits, axis=1, keepdims=True)
        loss = (log_total[:, 0] - (logits * target).sum(axis=1)).mean()
        gradient = x.T @ (np.exp(logits - log_total) - target) / len(x)
        loss += 0.5 * penalty * (free * weights**2).sum()
        return loss, (gradient + penalty * free * weights).ravel()

    start = np.zeros(x.shape[1] * num_classes)
    result = minimize(
        objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    return result.x.reshape(x.shape[1], num_classes)


def _predict(weights, x):
    return (x @ weights[:-1] + weights[-1]).argmax(axis=1)
