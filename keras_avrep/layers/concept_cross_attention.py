import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptCrossAttention(keras.layers.Layer):
    """One local feature for each concept, from the places it wins.

    Concepts compete for each place of a feature map (softmax over concepts); then
    each concept averages the places by its share of them, adds itself, and passes
    a residual block of two dense layers.

    Args:
        hidden_dim: int. Of the residual block. Defaults to `256`.
        epsilon: float. Share that every concept has of every place, so that one
            that wins none averages them all. Defaults to `1e-8`.

    Call arguments:
        features: feature map `(batch, t, h, w, channels)`.
        concepts: tensor `(concepts, dim)`.

    Returns:
        Unit-norm float32 local features `(batch, concepts, dim)`, and the float32
        shares `(batch, t, h, w, concepts)`, which sum to one at each place.

    Example:
    ```python
    layer = ConceptCrossAttention(hidden_dim=32)
    features = keras.random.normal((2, 2, 4, 4, 64))
    local, shares = layer(features, keras.random.normal((10, 16)))
    shares.shape  # (2, 2, 4, 4, 10)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 3.3.
    """

    def __init__(self, hidden_dim=256, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.epsilon = epsilon

    def build(self, features_shape, concepts_shape):
        channels, dim = features_shape[-1], concepts_shape[-1]
        self.scale = dim**-0.5
        options = {"dtype": self.dtype_policy}
        for name, width in (("places", channels), ("concepts", dim), ("local", dim)):
            # Unit rows have small entries: Keras' larger default would count.
            norm = keras.layers.LayerNormalization(
                epsilon=1e-5, name=f"norm_{name}", **options
            )
            norm.build((None, width))
            setattr(self, f"norm_{name}", norm)
        for name, width in (("key", channels), ("value", channels), ("query", dim)):
            dense = keras.layers.Dense(dim, use_bias=False, name=name, **options)
            dense.build((None, width))
            setattr(self, name, dense)
        self.hidden = keras.layers.Dense(
            self.hidden_dim, activation="relu", name="hidden", **options
        )
        self.hidden.build((None, dim))
        self.residual = keras.layers.Dense(dim, name="residual", **options)
        self.residual.build((None, self.hidden_dim))

    def call(self, features, concepts):
        batch, *grid, channels = ops.shape(features)
        places = self.norm_places(ops.reshape(features, (batch, -1, channels)))
        query = self.query(self.norm_concepts(concepts)) * self.scale
        scores = ops.matmul(self.key(places), ops.transpose(query))
        shares = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        weights = shares + self.epsilon
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        values = ops.cast(self.value(places), "float32")
        local = ops.matmul(ops.transpose(weights, (0, 2, 1)), values)
        local = local + ops.cast(concepts, "float32")
        rest = self.residual(self.hidden(self.norm_local(local)))
        local = local + ops.cast(rest, "float32")
        local = unit_length(local)
        return local, ops.reshape(shares, (batch, *grid, concepts.shape[0]))

    def compute_output_spec(self, features, concepts):
        local = (features.shape[0], *concepts.shape)
        shares = (*features.shape[:-1], concepts.shape[0])
        return tuple(
            keras.KerasTensor(shape, dtype="float32") for shape in (local, shares)
        )

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "epsilon": self.epsilon,
        }
