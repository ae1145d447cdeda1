import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ExpandedAVMaps(keras.layers.Layer):
    """Where a picture fits the sound of each class.

    The correspondence map of CSOL with K sound vectors in place of one. It has no
    weight of its own: its scale is that of the map which single sources trained.

    Call arguments:
        features: tensor `(B, h, w, C)`.
        vectors: tensor `(B, K, C)`, from `AudioInstanceIdentifier`.
        scale: scalar. Multiplies cosines before the sigmoid.

    Returns:
        float32 tensor `(B, h, w, K)` in [0, 1].

    Example:
    ```python
    features = keras.random.normal((2, 6, 6, 8))
    vectors = keras.random.normal((2, 3, 8))
    ExpandedAVMaps()(features, vectors, scale=5.0).shape  # (2, 6, 6, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.4.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, features, vectors, scale):
        features, vectors = unit_length(features), unit_length(vectors)
        # One matrix product for all places, whatever the size of the map.
        columns = ops.transpose(vectors, (0, 2, 1))[:, None]
        return ops.sigmoid(ops.cast(scale, "float32") * ops.matmul(features, columns))

    def compute_output_shape(self, features_shape, vectors_shape, scale_shape=None):
        return (*features_shape[:-1], vectors_shape[1])
