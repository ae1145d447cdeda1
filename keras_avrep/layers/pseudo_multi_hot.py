import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class PseudoMultiHot(keras.layers.Layer):
    """The classes of a mixture, from the pseudo-labels of the sounds in it.

    Args:
        num_classes: int. K.

    Call arguments:
        labels: int tensor `(B, n)`. The class of each sound; negative ones count
            nowhere.
        present: bool tensor `(B, n)`. Which of the sounds are in the mixture.
            Defaults to `None`, all.

    Returns:
        float32 tensor `(B, K)` of 0 and 1.

    Example:
    ```python
    labels = keras.ops.array([[0, 2, 1]])
    present = keras.ops.array([[True, True, False]])
    PseudoMultiHot(4)(labels, present)  # [[1, 0, 1, 0]]
    ```

    Reference: IEr (arXiv:2202.06406), note sections 2.3 and 8.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.num_classes = num_classes

    def call(self, labels, present=None):
        labels = ops.cast(labels, "int32")
        chosen = labels[..., None] == ops.arange(self.num_classes, dtype="int32")
        if present is not None:
            chosen = ops.logical_and(chosen, ops.cast(present, "bool")[..., None])
        return ops.cast(ops.any(chosen, axis=1), "float32")

    def compute_output_shape(self, labels_shape, present_shape=None):
        return labels_shape[0], self.num_classes

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
