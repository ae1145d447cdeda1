import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConceptBank(keras.layers.Layer):
    """A dictionary of concept vectors, the static ones first, and cosines to them.

    Args:
        num_static: int. Concepts of what stands still.
        num_dynamic: int. Concepts of what moves.
        dim: int. Size of a concept vector.
        constraint: `None`, where rows are normalised in the forward pass, or
            `"unit_norm"`, where the rows themselves are kept at unit length
            after every update, as released. Defaults to `None`.

    Call arguments:
        inputs: unit-norm tensor `(..., dim)`.
        frozen: bool tensor. Whether the concepts get no gradient. Defaults to
            `False`.

    Returns:
        float32 cosines `(..., num_static + num_dynamic)`.

    Example:
    ```python
    bank = ConceptBank(4, 4, 8)
    logits = bank(keras.ops.normalize(keras.random.normal((2, 8))))
    logits[:, bank.static_slice].shape  # (2, 4)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section
    3.2.
    """

    def __init__(self, num_static, num_dynamic, dim, constraint=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if constraint not in (None, "unit_norm"):
            raise ValueError(
                f"`constraint` must be None or 'unit_norm', got {constraint!r}."
            )
        self.num_static = num_static
        self.num_dynamic = num_dynamic
        self.dim = dim
        self.constraint = constraint
        self.static_slice = slice(0, num_static)
        self.dynamic_slice = slice(num_static, num_static + num_dynamic)
        self.table = self.add_weight(
            name="concepts",
            shape=(num_static + num_dynamic, dim),
            initializer=_unit_rows,
            constraint=keras.constraints.UnitNorm(axis=1) if constraint else None,
        )
        self.built = True

    def concepts(self, frozen=False):
        """The unit-norm concept vectors, `(num_static + num_dynamic, dim)`."""
        table = ops.convert_to_tensor(self.table)
        if not self.constraint:
            squares = ops.sum(ops.square(table), axis=-1, keepdims=True)
            table = table * ops.rsqrt(ops.maximum(squares, 1e-24))
        return ops.where(frozen, ops.stop_gradient(table), table)

    def call(self, inputs, frozen=False):
        inputs = ops.cast(inputs, "float32")
        return ops.matmul(inputs, ops.transpose(self.concepts(frozen)))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.num_static + self.num_dynamic)

    def get_config(self):
        return {
            **super().get_config(),
            "num_static": self.num_static,
            "num_dynamic": self.num_dynamic,
            "dim": self.dim,
            "constraint": self.constraint,
        }


def _unit_rows(shape, dtype=None):
    """Random rows of unit length."""
    return ops.normalize(keras.random.normal(shape, dtype=dtype), axis=-1)
