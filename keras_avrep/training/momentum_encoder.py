import keras


@keras.saving.register_keras_serializable(package="keras_avrep")
class MomentumEncoder(keras.layers.Layer):
    """Exponential-moving-average twins of one or more models.

    The twins start as copies and own their weights. They run in training mode,
    so batch-norm statistics follow their own forward passes, and they are kept
    out of every gradient and optimiser.

    Args:
        sources: list of built models or layers.
        momentum: float. Share of the old weight kept at each update. Defaults
            to `0.999`.

    Example:
    ```python
    encoder = MomentumEncoder([backbone], momentum=0.99)
    encoder.update([backbone])
    keys = encoder.twins[0](clips, training=True)
    ```

    Reference: MoCo, arXiv:1911.05722; DCLR note section 3.6.
    """

    def __init__(self, sources, momentum=0.999, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.twins = [_copy(source) for source in sources]
        # Variable by variable: `layer.trainable = False` would also switch
        # batch norm to inference.
        for twin in self.twins:
            for variable in list(twin.trainable_variables):
                variable.trainable = False
        self.built = True

    @property
    def trainable(self):
        """Whether the layer may be trained; its twins never are."""
        return super().trainable

    @trainable.setter
    def trainable(self, value):
        # Not handed down: a model that is frozen and set free again would train them.
        self._trainable = bool(value)

    def update(self, sources):
        """Move every twin weight a step toward its source's weight."""
        for source, twin in zip(sources, self.twins, strict=True):
            pairs = zip(source.weights, twin.weights, strict=True)
            for weight, average in pairs:
                if weight.trainable:
                    average.assign(
                        self.momentum * average + (1 - self.momentum) * weight
                    )

    def copy_from(self, sources):
        """Set the twins' weights to their sources'."""
        for source, twin in zip(sources, self.twins, strict=True):
            twin.set_weights(source.get_weights())


def _copy(source):
    twin = type(source).from_config(source.get_config())
    if not twin.built:
        twin.build_from_config(source.get_build_config())
    twin.set_weights(source.get_weights())
    return twin
