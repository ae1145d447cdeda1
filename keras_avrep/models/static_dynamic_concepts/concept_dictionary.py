import keras
import numpy as np
from keras import ops

from keras_avrep.layers import ConceptBank, ConceptCrossAttention, ProjectionMLP


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptDictionary(keras.layers.Layer):
    """One concept bank for each input mode, and what reads features with them.

    A concept has the same index in every bank; only the losses tie them. All
    modes share the cross-attention.

    Args:
        modes: list of `"rgb"`, `"static"`, `"dynamic"`, one bank each.
        num_static: int. Static concepts, the first of each bank.
        num_dynamic: int. Dynamic concepts, the others.
        dim: int. Size of a concept.
        hidden_dim: int. Hidden width of mode heads and decoders.
        attention_dim: int. Hidden width in the cross-attention.
        constraint: see `ConceptBank`. Defaults to `None`.
        rebuild: bool. Whether decoders rebuild features from logits. Defaults to
            `True`.
        locate: bool. Whether concepts gather local features. Defaults to `True`.

    Example:
    ```python
    dictionary = ConceptDictionary(["rgb"], 3, 2, 16, 32, 32)
    dictionary.build((None, None, None, None, 64))
    feature_map = keras.random.normal((4, 2, 3, 3, 64))
    features = keras.ops.mean(feature_map, axis=(1, 2, 3))
    dictionary.read("rgb", feature_map, features)["logits"].shape  # (4, 5)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 3.
    """

    def __init__(
        self,
        modes,
        num_static,
        num_dynamic,
        dim,
        hidden_dim,
        attention_dim,
        constraint=None,
        rebuild=True,
        locate=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.modes = list(modes)
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.num_concepts = num_static + num_dynamic
        self.dim = dim
        self.hidden_dim = hidden_dim
        self.attention_dim = attention_dim
        self.constraint = constraint
        self.rebuild = rebuild
        self.locate = locate
        self.mode_heads, self.banks, self.decoders = {}, {}, {}
        self.attention = None

    def columns(self, kind):
        """Slice of the concepts of `"static"` or `"dynamic"`; of all for others."""
        return {
            "static": slice(0, self.num_static),
            "dynamic": slice(self.num_static, self.num_concepts),
        }.get(kind, slice(0, self.num_concepts))

    def count(self, kind):
        """How many concepts `columns` gives."""
        columns = self.columns(kind)
        return columns.stop - columns.start

    def build(self, input_shape):
        """Build for feature maps `(batch, t, h, w, channels)`."""
        channels, policy = input_shape[-1], self.dtype_policy
        for mode in self.modes:
            head = ProjectionMLP(
                self.hidden_dim, self.dim, 1, name=f"mode_head_{mode}", dtype=policy
            )
            head.build((None, channels))
            bank = ConceptBank(
                self.num_static, self.num_dynamic, self.constraint, name=f"bank_{mode}"
            )
            bank.build((None, self.dim))
            self.mode_heads[mode], self.banks[mode] = head, bank
            if self.rebuild:
                decoder = ProjectionMLP(
                    self.hidden_dim, channels, 1, name=f"decoder_{mode}", dtype=policy
                )
                decoder.build((None, self.count(mode)))
                self.decoders[mode] = decoder
        if self.locate and self.modes:
            self.attention = ConceptCrossAttention(
                self.attention_dim, name="attention", dtype=policy
            )
            self.attention.build(input_shape, (self.num_concepts, self.dim))

    def read(self, mode, feature_map, features, frozen=None, training=False):
        """What the concepts of a mode make of its features.

        Args:
            mode: string. One of `modes`. Static inputs are rebuilt and located
                with static concepts only, dynamic ones with dynamic ones.
            feature_map: tensor `(batch, t, h, w, channels)`.
            features: its mean over places, `(batch, channels)`.
            frozen: see `ConceptBank`.
            training: bool. Whether batch norm uses the batch.

        Returns:
            Dict of `logits` `(batch, 2K)`; where there are decoders `rebuilt`
            `(batch, channels)`; with attention `local_features` `(batch, N, dim)`
            and `attention` `(batch, t, h, w, N)`.
        """
        embedding = self.mode_heads[mode](features, training=training)
        logits, concepts = self.banks[mode](
            embedding, frozen=frozen, return_concepts=True
        )
        found, columns = {"logits": logits}, self.columns(mode)
        if self.count(mode) < self.num_concepts:
            logits, concepts = logits[:, columns], concepts[columns]
        if self.rebuild:
            found["rebuilt"] = self.decoders[mode](logits, training=training)
        if self.attention is not None:
            local, shares = self.attention(feature_map, concepts)
            found.update(local_features=local, attention=shares)
        return found

    def get_config(self):
        return {
            **super().get_config(),
            "modes": self.modes,
            "num_static": self.num_static,
            "num_dynamic": self.num_dynamic,
            "dim": self.dim,
            "hidden_dim": self.hidden_dim,
            "attention_dim": self.attention_dim,
            "constraint": self.constraint,
            "rebuild": self.rebuild,
            "locate": self.locate,
        }


def pooled(feature_map):
    """Mean of a feature map over time and space, in float32."""
    return ops.mean(ops.cast(feature_map, "float32"), axis=(1, 2, 3))


def activated_shares(model, clips, batch_size):
    """Shares of attention times a clip's activation, `(N, t, h, w, concepts)`.

    `model` gives both of some clips of pixels `(N, T, H, W, 3)`.
    """
    maps = []
    for first in range(0, len(clips), batch_size):
        part = ops.cast(clips[first : first + batch_size], "float32")
        shares, activation = map(ops.convert_to_numpy, model(part, training=False))
        maps.append(shares * activation)
    return np.concatenate(maps)
