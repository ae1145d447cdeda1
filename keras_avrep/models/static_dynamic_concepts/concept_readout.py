import keras
from keras import ops

from keras_avrep.layers import ConceptBank, ConceptCrossAttention, ProjectionMLP


@keras.saving.register_keras_serializable(package="keras_avrep")
class ModeHead(keras.layers.Layer):
    """From pooled features to the unit vectors that concepts are compared with.

    Args:
        dim: int. Of the features and of the result.

    Call arguments:
        inputs: tensor `(batch, dim)`.
        training: bool.

    Returns:
        float32 tensor `(batch, dim)`, rows of unit norm.

    Reference: note section 3.2.
    """

    def __init__(self, dim, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.mlp = ProjectionMLP(dim, dim, 1, dtype=self.dtype_policy, name="mlp")

    def build(self, input_shape):
        self.mlp.build(input_shape)

    def call(self, inputs, training=False):
        x = self.mlp(inputs, training=training)
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return x * ops.rsqrt(ops.maximum(squares, 1e-12))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.dim)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype="float32")

    def get_config(self):
        return {**super().get_config(), "dim": self.dim}


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptReadout(keras.layers.Layer):
    """What the concepts say of a clip: how strong, where, and what they gather.

    Args:
        num_static: int.
        num_dynamic: int.
        dim: int. Channels of the feature map.

    Call arguments:
        feature_map: tensor `(batch, t, h, w, dim)`.
        features: tensor `(batch, dim)`, the map's average.

    Returns:
        Dict of float32 `logits` `(batch, concepts)`, `local_features`
        `(batch, concepts, dim)` and `attention` `(batch, t, h, w, concepts)`.

    Reference: note sections 3.2 and 3.3.
    """

    def __init__(self, num_static, num_dynamic, dim, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.dim = dim
        self.head = ModeHead(dim, dtype="float32", name="head")
        self.bank = ConceptBank(num_static, num_dynamic, dim, name="bank")
        self.attention = ConceptCrossAttention(name="attention")

    def build(self, feature_map_shape, features_shape):
        self.head.build(features_shape)
        concepts = (self.num_static + self.num_dynamic, self.dim)
        self.attention.build(feature_map_shape, concepts)

    def call(self, feature_map, features):
        local, attention = self.attention(feature_map, self.bank.concepts())
        return {
            "logits": self.bank(self.head(features)),
            "local_features": local,
            "attention": attention,
        }

    def get_config(self):
        return {
            **super().get_config(),
            "num_static": self.num_static,
            "num_dynamic": self.num_dynamic,
            "dim": self.dim,
        }
