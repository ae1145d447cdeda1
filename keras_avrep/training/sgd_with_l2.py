import keras

from keras_avrep.training.l2_penalty import with_l2_penalty


@keras.saving.register_keras_serializable(package="keras_avrep")
class SGDWithL2(keras.optimizers.SGD):
    """SGD with an L2 penalty in the gradient, so that it passes through the momentum.

    As PyTorch's SGD has it; a variable without any gradient is left alone. Keras's own
    `weight_decay` leaves the momentum alone: at momentum 0.9 the same number would
    decay a tenth as fast.

    Args:
        learning_rate: float or schedule. Defaults to 0.01.
        momentum: float. Defaults to 0.9.
        l2: float. What of a variable is added to its gradient. Defaults to 1e-4.
        decayed: string. Only variables whose path has it get the penalty, for
            example `"kernel"`. Defaults to `None`, all of them.
        **kwargs: see `keras.optimizers.SGD`.

    Raises:
        ValueError: if `l2` is negative.

    Example:
    ```python
    SGDWithL2(0.01, momentum=0.9, l2=1e-4)
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 5.
    """

    def __init__(
        self,
        learning_rate=0.01,
        momentum=0.9,
        l2=1e-4,
        decayed=None,
        name="SGD",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate, momentum=momentum, name=name, **kwargs
        )
        if l2 < 0:
            raise ValueError(f"`l2` is {l2}; give 0 or more.")
        self.l2 = l2
        self.decayed = decayed

    def build(self, variables):
        super().build(variables)
        # Noted here: the step of TensorFlow hands over variables without a path.
        self._penalties = [
            self.l2 if self.decayed is None or self.decayed in v.path else 0.0
            for v in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable from its gradient and the current learning rate."""
        l2 = self._penalties[self._get_variable_index(variable)]
        if l2:
            gradient = with_l2_penalty(gradient, variable, l2)
        return super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2, "decayed": self.decayed}
