import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class JSDMutualInformation(keras.layers.Layer):
    """Jensen-Shannon estimate of the dependence of two variables, by a critic.

    Pairs of the same sample are told from pairs whose second comes from another
    sample of the batch. A critic that is 0 everywhere estimates `-2 ln 2`, the value
    for independence, and it starts close to that; 0 is full dependence. Learning
    that raises the estimate trains the critic.

    Args:
        hidden_dim: int. Width of the critic. Defaults to `256`.

    Call arguments:
        first: tensor `(batch, ..., dim)`.
        second: tensor `(batch, ..., other_dim)`.

    Returns:
        float32 scalar.

    Example:
    ```python
    critic = JSDMutualInformation(16)
    critic(keras.random.normal((4, 8)), keras.random.normal((4, 3)))  # about -1.386
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.3.
    """

    def __init__(self, hidden_dim=256, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.hidden_dim = hidden_dim
        self.hidden = keras.layers.Dense(
            hidden_dim, activation="relu", dtype="float32", name="hidden"
        )
        self.score = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            dtype="float32",
            name="score",
        )

    def build(self, first_shape, second_shape):
        self.hidden.build((None, first_shape[-1] + second_shape[-1]))
        self.score.build((None, self.hidden_dim))

    def call(self, first, second):
        joint = self._scores(first, second)
        apart = self._scores(first, ops.roll(second, 1, axis=0))
        return -ops.mean(ops.softplus(-joint)) - ops.mean(ops.softplus(apart))

    def _scores(self, first, second):
        return self.score(self.hidden(ops.concatenate([first, second], axis=-1)))

    def compute_output_shape(self, first_shape, second_shape):
        return ()

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}


@keras.saving.register_keras_serializable(package="keras_avrep")
class CLUBMutualInformation(keras.layers.Layer):
    """Contrastive log-ratio upper bound of mutual information.

    A Gaussian `q(second | first)` is fitted by likelihood. The bound is its mean
    log-likelihood over true pairs minus that over pairs whose second comes from
    another sample; it goes below 0 when the fit is poor.

    The likelihood has no gradient to `first`, the bound none to the Gaussian,
    so both can be added into one loss.

    Args:
        hidden_dim: int. Width of the networks of mean and log-variance. Defaults
            to `256`.

    Call arguments:
        first: tensor `(batch, ..., dim)`.
        second: tensor `(batch, ..., other_dim)`.

    Returns:
        The bound and the negative log-likelihood, float32 scalars in nats.

    Example:
    ```python
    club = CLUBMutualInformation(16)
    bound, fit = club(keras.random.normal((4, 8)), keras.random.normal((4, 3)))
    ```

    Reference: CLUB (arXiv:2006.12013); note of Controllable Augmentations
    (arXiv:2203.16632), section 4.3.
    """

    def __init__(self, hidden_dim=256, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.hidden_dim = hidden_dim

    def build(self, first_shape, second_shape):
        self.mean = self._network("mean", first_shape[-1], second_shape[-1])
        self.log_variance = self._network(
            "log_variance", first_shape[-1], second_shape[-1]
        )

    def _network(self, name, dim, output_dim):
        """Two dense layers."""
        hidden, output = (
            keras.layers.Dense(units, dtype="float32", name=f"{name}_{place}")
            for units, place in ((self.hidden_dim, "hidden"), (output_dim, "output"))
        )
        hidden.build((None, dim))
        output.build((None, self.hidden_dim))
        return [hidden, output]

    def call(self, first, second):
        fit = self._log_likelihood(ops.stop_gradient(first), second, frozen=False)
        together = self._log_likelihood(first, second, frozen=True)
        rolled = ops.roll(second, 1, axis=0)
        apart = self._log_likelihood(first, rolled, frozen=True)
        return ops.mean(together) - ops.mean(apart), -ops.mean(fit)

    def _log_likelihood(self, first, second, frozen):
        mean = _apply(self.mean, first, frozen)
        log_variance = ops.tanh(_apply(self.log_variance, first, frozen))
        squared = ops.square(second - mean) / ops.exp(log_variance)
        return -0.5 * ops.sum(squared + log_variance + math.log(2 * math.pi), axis=-1)

    def compute_output_shape(self, first_shape, second_shape):
        return (), ()

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}


def _apply(network, x, frozen):
    hidden, output = network
    return _dense(output, ops.relu(_dense(hidden, x, frozen)), frozen)


def _dense(layer, x, frozen):
    kernel, bias = (ops.convert_to_tensor(w) for w in (layer.kernel, layer.bias))
    if frozen:
        kernel, bias = ops.stop_gradient(kernel), ops.stop_gradient(bias)
    return ops.matmul(x, kernel) + bias
