import itertools
import math

import keras
import numpy as np
from keras import ops

from keras_avrep.layers import ProjectionHead

FORMS = ("contrast", "classification")


@keras.saving.register_keras_serializable(package="keras_avrep")
class TemporalOrderHead(keras.layers.Layer):
    """Which order of the local clips belongs to the global view.

    Args:
        num_clips: int. Local clips N; there are N! orders.
        hidden_dim: int. Hidden width of the heads. Defaults to `512`.
        output_dim: int. Size of the embeddings. Defaults to `128`.
        form: string. `"contrast"`: the global view is compared with every order,
            and with the true sequences of other videos; only the true order is
            right. `"classification"`: every order is named from the global view
            and the sequence. Defaults to `"contrast"`.
        temperature: float. Of the contrast. Defaults to `0.07`.

    Call arguments:
        local: features of the local clips in true order `(batch, N, channels)`.
        whole: features of the global view `(batch, channels)`.

    Returns:
        float32 logits: `(batch, 1, N! + batch - 1)` of the contrast, the true
        order first; `(batch, N!, N!)` of the classification, the order of a
        sequence being its row.

    Raises:
        ValueError: if `form` is unknown.

    Example:
    ```python
    head = TemporalOrderHead(3, 16, 8)
    head(keras.random.normal((4, 3, 32)), keras.random.normal((4, 32))).shape
    # (4, 1, 9)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section
    4.4, a reconstruction.
    """

    def __init__(
        self,
        num_clips,
        hidden_dim=512,
        output_dim=128,
        form="contrast",
        temperature=0.07,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if form not in FORMS:
            raise ValueError(f"`form` must be one of {FORMS}, got {form!r}.")
        self.num_clips = num_clips
        self.hidden_dim = hidden_dim
        self.output_dim = output_dim
        self.form = form
        self.temperature = temperature
        # The first is the identity.
        self.orders = np.array(list(itertools.permutations(range(num_clips))))
        self.sequence = ProjectionHead(
            hidden_dim, output_dim, dtype=self.dtype_policy, name="sequence"
        )
        self.whole = ProjectionHead(
            hidden_dim, output_dim, dtype=self.dtype_policy, name="whole"
        )
        self.classifier = None
        if form == "classification":
            self.classifier = keras.layers.Dense(
                len(self.orders), dtype="float32", name="classifier"
            )

    def build(self, local_shape, whole_shape=None):
        channels = local_shape[-1]
        self.sequence.build((None, None, self.num_clips * channels))
        self.whole.build((None, channels))
        if self.classifier is not None:
            self.classifier.build((None, None, 2 * self.output_dim))

    def call(self, local, whole):
        ordered = ops.take(local, self.orders.ravel(), axis=1)
        length = self.num_clips * local.shape[-1]
        ordered = ops.reshape(ordered, (-1, len(self.orders), length))
        sequences, whole = self.sequence(ordered), self.whole(whole)
        if self.classifier is not None:
            both = ops.repeat(whole[:, None], len(self.orders), axis=1)
            return self.classifier(ops.concatenate([both, sequences], axis=-1))
        own = ops.einsum("bd,bpd->bp", whole, sequences)
        across = ops.matmul(whole, ops.transpose(sequences[:, 0]))
        logits = ops.concatenate([own, _without_diagonal(across)], axis=-1)
        return logits[:, None] / self.temperature

    def compute_output_shape(self, local_shape, whole_shape=None):
        batch, orders = local_shape[0], math.factorial(self.num_clips)
        if self.form == "classification":
            return (batch, orders, orders)
        return (batch, 1, None if batch is None else orders + batch - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "num_clips": self.num_clips,
            "hidden_dim": self.hidden_dim,
            "output_dim": self.output_dim,
            "form": self.form,
            "temperature": self.temperature,
        }


def _without_diagonal(square):
    """The other columns of each row, `(batch, batch - 1)`, for any batch."""
    batch = ops.shape(square)[0]
    # Row by row, the diagonal is every (batch + 1)-th entry, from the first on.
    rest = ops.reshape(ops.reshape(square, (-1,))[1:], (batch - 1, batch + 1))
    return ops.reshape(rest[:, :-1], (batch, batch - 1))


def order_loss(logits, ordered):
    """Cross entropy of the right answers, over videos whose clips are apart.

    Args:
        logits: what `TemporalOrderHead` returns; row i's right answer is i.
        ordered: tensor `(batch,)`, 1 for videos that count and 0 for others.

    Returns:
        float32 scalar; 0 if no video counts.

    Example:
    ```python
    order_loss(keras.ops.zeros((2, 1, 7)), keras.ops.ones(2))  # ln 7
    ```
    """
    logits = ops.cast(logits, "float32")
    right = ops.diagonal(logits, axis1=1, axis2=2)
    loss = ops.mean(ops.logsumexp(logits, axis=-1) - right, axis=-1)
    ordered = ops.cast(ordered, "float32")
    return ops.sum(ordered * loss) / ops.maximum(ops.sum(ordered), 1.0)
