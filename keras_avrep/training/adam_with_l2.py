import keras
from keras import ops

from keras_avrep.training.l2_penalty import learns, with_l2_penalty


@keras.saving.register_keras_serializable(package="keras_avrep")
class AdamWithL2(keras.optimizers.Adam):
    """Adam with an L2 penalty in the gradient, and rates that differ by variable.

    As PyTorch's Adam has it: the penalty passes through the moments, and all
    variables have it, biases and those of batch norm too, but for those without any
    gradient. One that starts to learn late is at its first step then; Keras's own Adam
    would take steps up to six times too long. Keras's own `weight_decay` leaves the
    moments alone.

    Args:
        learning_rate: float or schedule. Defaults to 1e-4.
        l2: float. What of a variable is added to its gradient. Defaults to 1e-4.
        rate_factors: dict from a part of a variable's path to a factor of its
            learning rate; the first part that occurs counts. Defaults to `None`,
            one rate for all.
        **kwargs: see `keras.optimizers.Adam`.

    Raises:
        ValueError: if `l2` is negative.

    Example:
    ```python
    AdamWithL2(1e-4, rate_factors={"classifier": 10.0})
    ```

    Reference: CSOL (arXiv:2112.11749), note sections 5 and 8.
    """

    def __init__(
        self, learning_rate=1e-4, l2=1e-4, rate_factors=None, name="adam", **kwargs
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if l2 < 0:
            raise ValueError(f"`l2` is {l2}; give 0 or more.")
        self.l2 = l2
        self.rate_factors = dict(rate_factors or {})

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        # Noted here: the step of TensorFlow hands over variables without a path.
        self._factors = [self.rate_factor(v.path) for v in variables]
        self._steps = [
            self.add_variable((), dtype="float32", name=f"steps_{number}")
            for number in range(len(variables))
        ]

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable from its gradient and the current learning rate."""
        index = self._get_variable_index(variable)
        own = self._steps[index]
        self.assign_add(own, ops.cast(learns(gradient), own.dtype))
        all_steps = ops.cast(self.iterations + 1, own.dtype)
        correction = self._bias_correction(ops.maximum(own, 1.0))
        correction = correction / self._bias_correction(all_steps)
        rate = learning_rate * self._factors[index] * correction
        gradient = with_l2_penalty(gradient, variable, self.l2)
        return super().update_step(gradient, variable, rate)

    def _bias_correction(self, steps):
        """What Adam's rate is multiplied by after some steps from moments of 0."""
        second = ops.sqrt(1.0 - ops.power(self.beta_2, steps))
        return second / (1.0 - ops.power(self.beta_1, steps))

    def rate_factor(self, path):
        """The factor of the learning rate of a path, 1 where none is named."""
        factors = self.rate_factors.items()
        return next((factor for part, factor in factors if part in path), 1.0)

    def get_config(self):
        return {
            **super().get_config(),
            "l2": self.l2,
            "rate_factors": self.rate_factors,
        }
