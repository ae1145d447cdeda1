import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptBank(keras.layers.Layer):
    """A dictionary of static and dynamic concepts, each a direction.

    Args:
        num_static: int. Static concepts, the first rows. Defaults to `100`.
        num_dynamic: int. Dynamic concepts, the other rows. Defaults to `100`.
        constraint: `None` or `"unit_norm"`. `None` normalises the rows in the
            forward pass, so gradients are tangential to the sphere; `"unit_norm"`
            rescales the weights themselves after every optimizer step, as the
            released code does. Defaults to `None`.

    Attributes:
        static_slice: slice of the static concepts.
        dynamic_slice: slice of the dynamic concepts.
        slices: dict from kind to these slices.

    Call arguments:
        inputs: tensor `(..., dim)`, normalised here.
        frozen: bool scalar tensor. Whether no gradient reaches the concepts.
            Defaults to `None`: gradients flow.
        return_concepts: bool. Whether the concepts are returned too. Defaults
            to `False`.

    Returns:
        float32 cosines `(..., num_static + num_dynamic)`, and on request the
        concepts `(num_static + num_dynamic, dim)`.

    Raises:
        ValueError: if `constraint` is unknown.

    Example:
    ```python
    bank = ConceptBank(num_static=3, num_dynamic=2)
    bank(keras.random.normal((4, 16)))[:, bank.static_slice].shape  # (4, 3)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 3.2.
    """

    def __init__(self, num_static=100, num_dynamic=100, constraint=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if constraint not in (None, "unit_norm"):
            raise ValueError(
                f"`constraint` must be None or 'unit_norm', got {constraint!r}."
            )
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.constraint = constraint
        self.num_concepts = num_static + num_dynamic
        self.static_slice = slice(0, num_static)
        self.dynamic_slice = slice(num_static, self.num_concepts)

    @property
    def slices(self):
        return {"static": self.static_slice, "dynamic": self.dynamic_slice}

    def build(self, input_shape):
        norm = keras.constraints.UnitNorm(axis=-1) if self.constraint else None
        self.concepts = self.add_weight(
            name="concepts",
            shape=(self.num_concepts, input_shape[-1]),
            initializer=_unit_rows,
            constraint=norm,
        )

    def call(self, inputs, frozen=None, return_concepts=False):
        concepts = ops.convert_to_tensor(self.concepts)
        if self.constraint is None:
            concepts = unit_length(concepts)
        if frozen is not None:
            concepts = ops.where(frozen, ops.stop_gradient(concepts), concepts)
        inputs = unit_length(inputs)
        logits = ops.matmul(inputs, ops.transpose(concepts))
        return (logits, concepts) if return_concepts else logits

    def compute_output_spec(self, inputs, frozen=None, return_concepts=False):
        shape = (*inputs.shape[:-1], self.num_concepts)
        logits = keras.KerasTensor(shape, dtype="float32")
        if not return_concepts:
            return logits
        shape = (self.num_concepts, inputs.shape[-1])
        return logits, keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "num_static": self.num_static,
            "num_dynamic": self.num_dynamic,
            "constraint": self.constraint,
        }


def _unit_rows(shape, dtype=None):
    return ops.normalize(keras.random.normal(shape, dtype=dtype), axis=-1)
