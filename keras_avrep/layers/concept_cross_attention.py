import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptCrossAttention(keras.layers.Layer):
    """Gathers one local feature for each concept from a feature map.

    Concepts compete for every place (the softmax is over concepts), then each
    concept's shares are scaled to sum to one over places.

    Args:
        hidden_dim: int. Width of the last two dense layers' middle; by default
            half the channels.

    Call arguments:
        feature_map: tensor `(batch, t, h, w, channels)`.
        concepts: tensor `(concepts, channels)`.

    Returns:
        Unit-norm float32 features `(batch, concepts, channels)` and attention
        `(batch, t, h, w, concepts)` that sums to one over places.

    Example:
    ```python
    layer = ConceptCrossAttention()
    features, attention = layer(
        keras.random.normal((2, 1, 3, 3, 16)), keras.random.normal((5, 16))
    )
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    3.3.
    """

    def __init__(self, hidden_dim=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.hidden_dim = hidden_dim
        self.token_norm = _norm("token_norm")
        self.concept_norm = _norm("concept_norm")
        self.output_norm = _norm("output_norm")

    def build(self, feature_map_shape, concepts_shape):
        channels = feature_map_shape[-1]
        hidden = self.hidden_dim or max(1, channels // 2)

        def dense(units, name, **options):
            return keras.layers.Dense(units, dtype="float32", name=name, **options)

        self.query = dense(channels, "query", use_bias=False)
        self.key = dense(channels, "key", use_bias=False)
        self.value = dense(channels, "value", use_bias=False)
        self.hidden = dense(hidden, "hidden", activation="relu")
        self.residual = dense(channels, "residual")
        shape = (None, None, channels)
        for layer in (self.token_norm, self.output_norm, self.key, self.value):
            layer.build(shape)
        for layer in (self.concept_norm, self.query):
            layer.build((None, channels))
        self.hidden.build(shape)
        self.residual.build((None, None, hidden))

    def call(self, feature_map, concepts):
        feature_map = ops.cast(feature_map, "float32")
        concepts = ops.cast(concepts, "float32")
        batch, *places, channels = ops.shape(feature_map)
        tokens = ops.reshape(feature_map, (batch, -1, channels))
        tokens = self.token_norm(tokens)
        queries = self.query(self.concept_norm(concepts)) * channels**-0.5
        logits = ops.matmul(self.key(tokens), ops.transpose(queries))
        shares = ops.softmax(logits, axis=-1) + 1e-8
        shares = shares / ops.sum(shares, axis=1, keepdims=True)
        gathered = ops.matmul(ops.transpose(shares, (0, 2, 1)), self.value(tokens))
        x = gathered + concepts[None]
        x = x + self.residual(self.hidden(self.output_norm(x)))
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        x = x * ops.rsqrt(ops.maximum(squares, 1e-12))
        return x, ops.reshape(shares, (batch, *places, ops.shape(concepts)[0]))

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}


def _norm(name):
    return keras.layers.LayerNormalization(epsilon=1e-5, dtype="float32", name=name)
