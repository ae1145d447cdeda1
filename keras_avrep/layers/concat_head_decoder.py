import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConcatHeadDecoder(keras.layers.Layer):
    """Cross-attention whose heads are whole blocks, put side by side.

    Not the usual decoder: queries do not attend to each other; a head is
    `head_dim` wide whatever the input; it adds its projected query, has a layer
    norm of its own, and two dense layers without a residual; nothing projects the
    concatenated heads. Every layer reads the same memory.

    Args:
        num_layers: int. Defaults to `3`.
        num_heads: int. Defaults to `3`.
        head_dim: int. Defaults to `128`.
        dropout: float. On what a head attends to. Defaults to `0`.
        epsilon: float. Of the layer norms, which run in float32. Defaults to
            `1e-12`.

    Call arguments:
        queries: tensor `(batch, queries, channels)`.
        memory: tensor `(batch, tokens, other channels)`.
        training: bool.

    Returns:
        Tensor `(batch, queries, num_heads * head_dim)`.

    Example:
    ```python
    queries, memory = keras.random.normal((1, 8, 64)), keras.random.normal((1, 245, 80))
    ConcatHeadDecoder()(queries, memory).shape  # (1, 8, 384)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 3.
    """

    def __init__(
        self,
        num_layers=3,
        num_heads=3,
        head_dim=128,
        dropout=0.0,
        epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.dropout = dropout
        self.epsilon = epsilon
        self.blocks = [
            DecoderHead(
                head_dim,
                dropout,
                epsilon,
                dtype=self.dtype_policy,
                name=f"layer{layer + 1}_head{head + 1}",
            )
            for layer in range(num_layers)
            for head in range(num_heads)
        ]

    def build(self, queries_shape, memory_shape):
        shape = tuple(queries_shape)
        for heads in self._layers_of_heads():
            for head in heads:
                head.build(shape, memory_shape)
            shape = (*shape[:-1], self.num_heads * self.head_dim)

    def call(self, queries, memory, training=False):
        x = queries
        for heads in self._layers_of_heads():
            outputs = [head(x, memory, training=training) for head in heads]
            x = ops.concatenate(outputs, axis=-1)
        return x

    def _layers_of_heads(self):
        for first in range(0, len(self.blocks), self.num_heads):
            yield self.blocks[first : first + self.num_heads]

    def compute_output_shape(self, queries_shape, memory_shape):
        return (*queries_shape[:-1], self.num_heads * self.head_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "dropout": self.dropout,
            "epsilon": self.epsilon,
        }


class DecoderHead(keras.layers.Layer):
    """One head of one layer: attention, residual, norm and two dense layers."""

    def __init__(self, dim, dropout=0.0, epsilon=1e-12, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.query = self._dense("query")
        self.key = self._dense("key")
        self.value = self._dense("value")
        self.hidden = self._dense("hidden", "gelu")
        self.output_dense = self._dense("output")
        # An epsilon this small is nothing in half precision.
        self.norm = keras.layers.LayerNormalization(
            epsilon=epsilon, dtype="float32", name="norm"
        )
        self.drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")

    def _dense(self, name, activation=None):
        return keras.layers.Dense(
            self.dim, activation, dtype=self.dtype_policy, name=name
        )

    def build(self, queries_shape, memory_shape):
        self.query.build(queries_shape)
        self.key.build(memory_shape)
        self.value.build(memory_shape)
        for layer in (self.hidden, self.output_dense, self.norm):
            layer.build((*queries_shape[:-1], self.dim))

    def call(self, queries, memory, training=False):
        # Products of features that are not normalised are too large for float16.
        query, key = (
            ops.cast(x, "float32") for x in (self.query(queries), self.key(memory))
        )
        scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
        scores = scores / math.sqrt(self.dim)
        value = self.value(memory)
        shares = ops.cast(ops.softmax(scores, axis=-1), value.dtype)
        attended = ops.cast(ops.matmul(shares, value), "float32")
        attended = self.drop(attended, training=training)
        x = self.norm(attended + query)
        return self.output_dense(self.hidden(x))

    def compute_output_shape(self, queries_shape, memory_shape):
        return (*queries_shape[:-1], self.dim)
