import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ProjectionMLP(keras.layers.Layer):
    """Dense layers with batch norm, then a plain one: the head of CVRL.

    `num_layers` times Dense without bias, batch norm and ReLU, then a Dense layer
    with bias. The statistics are over all axes but the last. The result is not
    normalised; the losses do that.

    Args:
        hidden_dim: int. Width of the hidden layers. Defaults to `2048`.
        output_dim: int. Size of the embedding. Defaults to `128`.
        num_layers: int. Hidden layers. Defaults to `3`.

    Call arguments:
        inputs: tensor `(batch, ..., channels)`.
        training: bool. Whether statistics are of the batch.

    Returns:
        float32 tensor `(batch, ..., output_dim)`.

    Example:
    ```python
    ProjectionMLP(64, 32)(keras.random.normal((2, 5, 512))).shape  # (2, 5, 32)
    ```

    Reference: CVRL (arXiv:2008.03800); note of ConST-CL (arXiv:2112.05181),
    section 3.
    """

    def __init__(self, hidden_dim=2048, output_dim=128, num_layers=3, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.output_dim = output_dim
        self.num_layers = num_layers
        self.hidden = []
        self.norms = []
        for number in range(1, num_layers + 1):
            self.hidden.append(
                keras.layers.Dense(
                    hidden_dim,
                    use_bias=False,
                    dtype=self.dtype_policy,
                    name=f"hidden{number}",
                )
            )
            self.norms.append(
                keras.layers.BatchNormalization(
                    momentum=0.9,
                    epsilon=1e-5,
                    dtype=self.dtype_policy,
                    name=f"norm{number}",
                )
            )
        self.projection = keras.layers.Dense(
            output_dim, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape):
        shape = tuple(input_shape)
        for dense, norm in zip(self.hidden, self.norms, strict=True):
            dense.build(shape)
            shape = (*shape[:-1], self.hidden_dim)
            norm.build(shape)
        self.projection.build(shape)

    def call(self, inputs, training=False):
        x = inputs
        for dense, norm in zip(self.hidden, self.norms, strict=True):
            x = ops.relu(norm(dense(x), training=training))
        return ops.cast(self.projection(x), "float32")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def compute_output_spec(self, inputs, training=False):
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "output_dim": self.output_dim,
            "num_layers": self.num_layers,
        }
