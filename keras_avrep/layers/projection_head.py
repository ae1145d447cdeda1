import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ProjectionHead(keras.layers.Layer):
    """Two dense layers and a unit norm, from pooled features to embeddings.

    Args:
        hidden_dim: int. Width of the hidden layer. Defaults to `512`.
        output_dim: int. Size of the embedding. Defaults to `128`.

    Call arguments:
        inputs: tensor of shape `(batch, channels)`.

    Returns:
        float32 tensor of shape `(batch, output_dim)`, rows of unit norm.

    Example:
    ```python
    ProjectionHead(64, 32)(keras.random.normal((2, 512))).shape  # (2, 32)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 3.5.
    """

    def __init__(self, hidden_dim=512, output_dim=128, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.output_dim = output_dim
        self.hidden = keras.layers.Dense(
            hidden_dim, activation="relu", dtype=self.dtype_policy, name="hidden"
        )
        self.projection = keras.layers.Dense(
            output_dim, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.projection.build((*input_shape[:-1], self.hidden_dim))

    def call(self, inputs):
        x = ops.cast(self.projection(self.hidden(inputs)), "float32")
        return unit_length(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def compute_output_spec(self, inputs):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "output_dim": self.output_dim,
        }


@keras.saving.register_keras_serializable(package="keras_avrep")
class ProjectionHeads(keras.layers.Layer):
    """A named set of projection heads over the same feature size.

    Args:
        names: list of strings, one head each.
        hidden_dim: int. Defaults to `512`.
        output_dim: int. Defaults to `128`.

    Call arguments:
        inputs: dict from head name to a tensor `(batch, channels)`; a subset
            of the names is fine.

    Returns:
        Dict from the same names to unit-norm embeddings `(batch, output_dim)`.

    Example:
    ```python
    heads = ProjectionHeads(["vv", "vs"], 64, 32)
    heads.build((None, 512))
    heads({"vv": keras.random.normal((2, 512))})["vv"].shape  # (2, 32)
    ```
    """

    def __init__(self, names, hidden_dim=512, output_dim=128, **kwargs):
        super().__init__(**kwargs)
        self.names = list(names)
        self.hidden_dim = hidden_dim
        self.output_dim = output_dim
        for name in self.names:
            head = ProjectionHead(
                hidden_dim, output_dim, dtype=self.dtype_policy, name=name
            )
            setattr(self, f"head_{name}", head)

    def build(self, input_shape):
        for name in self.names:
            shape = input_shape
            if isinstance(shape, dict):
                # A call may ask for some of the heads only; all features are alike.
                shape = shape.get(name, next(iter(shape.values())))
            getattr(self, f"head_{name}").build(shape)

    def call(self, inputs):
        return {name: getattr(self, f"head_{name}")(x) for name, x in inputs.items()}

    def get_config(self):
        return {
            **super().get_config(),
            "names": self.names,
            "hidden_dim": self.hidden_dim,
            "output_dim": self.output_dim,
        }
