import json
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_avrep.losses import truncated_smoothing

# Marks frames without a label, such as padding.
UNLABELLED = -1
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.weights.h5"


@keras.saving.register_keras_serializable(package="keras_avrep")
class MSTCN(keras.Model):
    """Labels every frame of a sequence of features: the head MS-TCN.

    Stages of dilated residual convolutions follow each other; each after the
    first takes the class probabilities of the one before. All are trained.

    It stands on features, not on a backbone, which a task of keras-hub cannot do
    without; it has `save_to_preset` and `from_preset` of its own, of local folders.

    Args:
        num_classes: int.
        feature_dim: int. Channels of the features.
        num_stages: int. Defaults to `4`.
        num_layers: int. Layers of a stage; the kernel of the last is dilated
            `2 ** (num_layers - 1)` times. Defaults to `10`.
        num_filters: int. Channels within a stage. Defaults to `64`.
        dropout: float. Defaults to `0.5`.
        smoothing: float. Weight of the smoothing term. Defaults to `0.15`.
        feature_mean: list of `feature_dim` floats that are taken from the features
            first. Defaults to `None`.
        feature_variance: list of `feature_dim` floats; features are divided by
            their roots after that. Defaults to `None`; give both or none.

    Call arguments:
        inputs: dict of `features` `(B, N, feature_dim)` and `mask` `(B, N)`, 1
            for frames and 0 for padding; see `pad_sequences`.

    Returns:
        float32 logits `(B, num_stages, N, num_classes)`, the last stage being the
        result.

    Raises:
        ValueError: if only one of `feature_mean` and `feature_variance` is given.

    Example:
    ```python
    head = MSTCN(num_classes=5, feature_dim=2048)
    head.compile(keras.optimizers.Adam(5e-4), jit_compile=False)
    inputs, labels = pad_sequences(features, labels)
    head.fit(inputs, labels, batch_size=1, epochs=50)
    head.label(features[0])  # (N,) class numbers
    head.save_to_preset("runs/steps/mstcn")
    ```

    `train_mstcn` does all of it, from features and the names of classes.

    Reference: MS-TCN (arXiv:1903.01945); note of TeG (arXiv:2112.04480), section
    6.
    """

    def __init__(
        self,
        num_classes,
        feature_dim,
        num_stages=4,
        num_layers=10,
        num_filters=64,
        dropout=0.5,
        smoothing=0.15,
        feature_mean=None,
        feature_variance=None,
        **kwargs,
    ):
        if (feature_mean is None) != (feature_variance is None):
            raise ValueError(
                "`feature_mean` and `feature_variance` belong together: give both or "
                "none."
            )
        # === Functional model ===
        features = keras.Input((None, feature_dim), name="features")
        mask = keras.Input((None,), name="mask")
        stages, x = [], features
        if feature_mean is not None:
            x = keras.layers.Normalization(
                mean=np.asarray(feature_mean, "float32"),
                variance=np.asarray(feature_variance, "float32"),
                dtype="float32",
                name="standardise",
            )(x)
        for number in range(1, num_stages + 1):
            stage = Stage(
                num_classes, num_layers, num_filters, dropout, name=f"stage{number}"
            )
            stages.append(stage(x, mask))
            x = keras.layers.Softmax(dtype="float32", name=f"softmax{number}")(
                stages[-1]
            )
        stacked = StackStages(dtype="float32", name="stages")(stages)
        inputs = {"features": features, "mask": mask}
        super().__init__(inputs=inputs, outputs=stacked, **kwargs)
        # === Config ===
        self.num_classes = num_classes
        self.feature_dim = feature_dim
        self.num_stages = num_stages
        self.num_layers = num_layers
        self.num_filters = num_filters
        self.dropout = dropout
        self.smoothing = smoothing
        self.feature_mean = _floats(feature_mean)
        self.feature_variance = _floats(feature_variance)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Sum over the stages of cross-entropy and weighted smoothing.

        Args:
            x: the inputs.
            y: int tensor `(B, N)`; -1 where there is no label.
            y_pred: logits `(B, num_stages, N, num_classes)`.
            sample_weight: not used.
            training: not used.

        Returns:
            float32 scalar.
        """
        labelled = ops.cast(y != UNLABELLED, "float32")
        classes = ops.one_hot(
            ops.maximum(ops.cast(y, "int32"), 0), self.num_classes, dtype="float32"
        )
        count = ops.maximum(ops.sum(labelled), 1.0)
        total = 0.0
        for stage in range(self.num_stages):
            # Losses are float32 under any policy.
            logits = ops.cast(y_pred[:, stage], "float32")
            entropy = -ops.sum(classes * ops.log_softmax(logits, axis=-1), axis=-1)
            total += ops.sum(entropy * labelled) / count
            total += self.smoothing * truncated_smoothing(logits, x["mask"])
        return total

    def probabilities(self, features):
        """Class probabilities `(N, num_classes)` of one sequence `(N, C)`."""
        inputs, _ = pad_sequences([features])
        logits = self(inputs, training=False)[0, -1]
        return ops.convert_to_numpy(ops.softmax(logits, axis=-1))

    def label(self, features):
        """Class numbers `(N,)` of one sequence of features `(N, C)`."""
        return self.probabilities(features).argmax(axis=-1)

    def get_config(self):
        return {
            "name": self.name,
            "num_classes": self.num_classes,
            "feature_dim": self.feature_dim,
            "num_stages": self.num_stages,
            "num_layers": self.num_layers,
            "num_filters": self.num_filters,
            "dropout": self.dropout,
            "smoothing": self.smoothing,
            "feature_mean": self.feature_mean,
            "feature_variance": self.feature_variance,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def save_to_preset(self, folder):
        """Write configuration and weights into a folder.

        Args:
            folder: path. Gets `config.json` and `model.weights.h5`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        content = keras.saving.serialize_keras_object(self)
        content = {k: content[k] for k in ("module", "class_name", "registered_name")}
        content["config"] = self.get_config()
        (folder / CONFIG_FILE).write_text(json.dumps(content, indent=1))
        self.save_weights(folder / WEIGHTS_FILE)

    @classmethod
    def from_preset(cls, folder, load_weights=True):
        """A head from a folder that `save_to_preset` wrote.

        Args:
            folder: path.
            load_weights: bool. `False` for a fresh one. Defaults to `True`.

        Returns:
            `MSTCN`.

        Raises:
            ValueError: if the folder holds no such head.

        Example:
        ```python
        head = MSTCN.from_preset("runs/steps/mstcn")
        ```
        """
        path = Path(folder) / CONFIG_FILE
        content = json.loads(path.read_text()) if path.exists() else {}
        if content.get("class_name") != cls.__name__:
            raise ValueError(
                f"{folder} holds no {cls.__name__}; give a folder that its "
                "`save_to_preset` wrote."
            )
        head = cls.from_config(content["config"])
        if load_weights:
            head.load_weights(Path(folder) / WEIGHTS_FILE)
        return head


@keras.saving.register_keras_serializable(package="keras_avrep")
class Stage(keras.layers.Layer):
    """Dilated residual convolutions over time, masked after every layer.

    Args:
        num_classes: int.
        num_layers: int.
        num_filters: int.
        dropout: float.

    Call arguments:
        inputs: tensor `(B, N, channels)`.
        valid: tensor `(B, N)`, 0 where there is padding.

    Returns:
        float32 logits `(B, N, num_classes)`, 0 where there is padding.
    """

    def __init__(self, num_classes, num_layers, num_filters, dropout, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_classes = num_classes
        self.num_layers = num_layers
        self.num_filters = num_filters
        self.dropout_rate = dropout
        self.enter = keras.layers.Dense(num_filters, dtype="float32", name="enter")
        self.dilated, self.mixing = [], []
        for number in range(num_layers):
            self.dilated.append(
                keras.layers.Conv1D(
                    num_filters,
                    3,
                    padding="same",
                    dilation_rate=2**number,
                    activation="relu",
                    dtype="float32",
                    name=f"dilated{number + 1}",
                )
            )
            self.mixing.append(
                keras.layers.Dense(
                    num_filters, dtype="float32", name=f"mixing{number + 1}"
                )
            )
        self.dropout = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        self.leave = keras.layers.Dense(num_classes, dtype="float32", name="leave")

    def build(self, inputs_shape, valid_shape=None):
        self.enter.build(inputs_shape)
        shape = (*inputs_shape[:-1], self.num_filters)
        for layer in (*self.dilated, *self.mixing, self.leave):
            layer.build(shape)

    def call(self, inputs, valid, training=False):
        # Not `mask`: Keras fills that by itself.
        valid = ops.cast(valid, "float32")[..., None]
        x = self.enter(inputs * valid) * valid
        for dilated, mixing in zip(self.dilated, self.mixing, strict=True):
            change = self.dropout(mixing(dilated(x)), training=training)
            x = (x + change) * valid
        return self.leave(x) * valid

    def compute_output_shape(self, inputs_shape, valid_shape=None):
        return (*inputs_shape[:-1], self.num_classes)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_layers": self.num_layers,
            "num_filters": self.num_filters,
            "dropout": self.dropout_rate,
        }


def _floats(values):
    """Numbers that JSON can hold, each a float32."""
    return None if values is None else np.asarray(values, "float32").tolist()


@keras.saving.register_keras_serializable(package="keras_avrep")
class StackStages(keras.layers.Layer):
    """Logits of the stages, `(B, N, K)` each, as one `(B, stages, N, K)`."""

    def call(self, inputs):
        return ops.stack(inputs, axis=1)

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape[0]
        return (batch, len(input_shape), *rest)


def pad_sequences(features, labels=None):
    """Sequences of unequal length as one batch.

    Args:
        features: list of arrays `(N, C)`.
        labels: list of int arrays `(N,)`, or `None`.

    Returns:
        The dict of `features` `(B, longest, C)` and `mask` `(B, longest)` that
        `MSTCN` takes, float32, and int32 labels `(B, longest)`, -1 in padding, or
        `None`.

    Example:
    ```python
    inputs, labels = pad_sequences([np.zeros((5, 8)), np.zeros((3, 8))])
    inputs["mask"].sum(axis=1)  # [5, 3]
    ```
    """
    longest = max(len(x) for x in features)
    padded = np.zeros((len(features), longest, features[0].shape[-1]), "float32")
    mask = np.zeros((len(features), longest), "float32")
    numbers = np.full((len(features), longest), UNLABELLED, "int32")
    for row, sequence in enumerate(features):
        padded[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1.0
        if labels is not None:
            numbers[row, : len(sequence)] = labels[row]
    inputs = {"features": padded, "mask": mask}
    return inputs, None if labels is None else numbers
