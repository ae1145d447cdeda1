"""Convolution, batch norm and ReLU as one layer, as inference runtimes want them.

Converters merge such a triple by themselves, but not across the reshapes of a
folded convolution, and an int8 file then rounds three times where it could once.
"""

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from keras_avrep.layers import FoldedBatchNormalization, FoldedConv3D


class FusedConv3D(FoldedConv3D):
    """A `FoldedConv3D` with a bias and optionally a ReLU, for inference.

    Args:
        relu: bool. Whether negative outputs become 0. Defaults to `False`.
        **kwargs: as for `FoldedConv3D`.

    Example:
    ```python
    layer = FusedConv3D(8, (1, 3, 3), relu=True)
    layer(keras.random.normal((2, 4, 16, 16, 3))).shape  # (2, 4, 16, 16, 8)
    ```
    """

    def __init__(self, *args, relu=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.relu = relu

    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros"
        )

    def _convolve(self, x, kernel, strides, dilation, padded=False):
        # Here rather than in `call`: the converter looks right behind the 2-D
        # convolution, before the reshape.
        x = super()._convolve(x, kernel, strides, dilation, padded) + self.bias
        return ops.relu(x) if self.relu else x

    def get_config(self):
        return {**super().get_config(), "relu": self.relu}


class Absorbed(keras.layers.Layer):
    """Stands where an absorbed layer was, and takes its call arguments."""

    def call(self, inputs, **kwargs):
        return inputs


@dataclass
class Triple:
    """A convolution and the layers that it absorbs, where there are any."""

    convolution: FoldedConv3D
    norm: keras.layers.BatchNormalization | None = None
    relu: keras.layers.ReLU | None = None


def fuse_convolutions(model: keras.Model) -> keras.Model:
    """Build a model for inference with folded, fused convolutions.

    Args:
        model: float32 functional model; those inside it are rebuilt too.

    Returns:
        A functional model with the same outputs in inference, and its own weights.

    Example:
    ```python
    fused = fuse_convolutions(task.representation)
    ```
    """
    # A subclass, like a backbone, would be cloned by its own constructor.
    plain = keras.Model(model.inputs, model.outputs, name=model.name)
    triples = {t.convolution.name: t for t in _triples(plain)}
    absorbed = {
        layer.name for t in triples.values() for layer in (t.norm, t.relu) if layer
    }

    def clone(layer):
        if isinstance(layer, keras.layers.InputLayer):
            return layer
        if _is_graph(layer):
            return fuse_convolutions(layer)
        if layer.name in absorbed:
            return Absorbed(dtype="float32", name=layer.name)
        config = layer.get_config()
        if layer.name not in triples:
            return type(layer).from_config(config)
        relu = triples[layer.name].relu is not None
        return FusedConv3D.from_config({**config, "fold": True, "relu": relu})

    fused = keras.models.clone_model(plain, clone_function=clone)
    for layer in plain.layers:
        if not layer.weights:
            continue
        twin = fused.get_layer(layer.name)
        if layer.name in triples:
            twin.set_weights(_fused_weights(triples[layer.name]))
        elif layer.name not in absorbed and not _is_graph(layer):
            twin.set_weights(layer.get_weights())
    return fused


def _is_graph(layer):
    """Whether a layer is a functional model; other models are left whole."""
    return isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth")


def _triples(model):
    consumers = _consumers(model)
    calls = Counter(node.operation.name for node in _nodes(model))
    for layer in model.layers:
        if not isinstance(layer, FoldedConv3D):
            continue
        triple = Triple(layer)
        norm = _only(consumers[layer.name], keras.layers.BatchNormalization)
        # A layer called elsewhere too still has work to do there.
        if norm is not None and calls[layer.name] == calls[norm.name] == 1:
            triple.norm = norm
            relu = _only(consumers[norm.name], keras.layers.ReLU)
            triple.relu = relu if relu and calls[relu.name] == 1 else None
        yield triple


def _nodes(model):
    return itertools.chain.from_iterable(model._nodes_by_depth.values())


def _consumers(model):
    """Layer name → the layers that read its output, `None` for the caller."""
    consumers = defaultdict(list)
    for node in _nodes(model):
        for tensor in node.input_tensors:
            producer = tensor._keras_history.operation
            consumers[producer.name].append(node.operation)
    for tensor in model.outputs:
        consumers[tensor._keras_history.operation.name].append(None)
    return consumers


def _only(consumers, kind):
    """The one consumer, if it is of this plain kind."""
    kinds = (kind, FoldedBatchNormalization)
    if kind is not keras.layers.BatchNormalization:
        kinds = (kind,)
    if len(consumers) != 1 or type(consumers[0]) not in kinds:
        return None
    (layer,) = consumers
    if kind is keras.layers.BatchNormalization and layer.axis not in (-1, 4):
        return None
    if kind is keras.layers.ReLU and (
        layer.max_value is not None or layer.negative_slope or layer.threshold
    ):
        return None
    return layer


def _fused_weights(triple):
    """Kernel and bias that do what kernel and batch norm did."""
    (kernel,) = triple.convolution.get_weights()
    norm = triple.norm
    if norm is None:
        return [kernel, np.zeros(kernel.shape[-1], "float32")]
    mean, variance, gamma, beta = (
        default if weight is None else ops.convert_to_numpy(weight).astype("float64")
        for weight, default in (
            (norm.moving_mean, 0.0),
            (norm.moving_variance, 1.0),
            (norm.gamma, 1.0),
            (norm.beta, 0.0),
        )
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    bias = np.broadcast_to(beta - mean * scale, kernel.shape[-1:])
    return [(kernel * scale).astype("float32"), bias.astype("float32")]
