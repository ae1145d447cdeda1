import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class MatchedPrototypeScore(keras.layers.Layer):
    """Cosine of each class's vector with the prototype of that class only.

    Call arguments:
        vectors: tensor `(B, K, C)`, one vector for each class.
        prototypes: tensor `(K, C)`.

    Returns:
        float32 tensor `(B, K)` of cosines; 0 where either is zero.

    Example:
    ```python
    vectors, prototypes = keras.random.normal((2, 11, 8)), keras.random.normal((11, 8))
    MatchedPrototypeScore()(vectors, prototypes).shape  # (2, 11)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.3.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.built = True

    def call(self, vectors, prototypes):
        return ops.sum(unit_length(vectors) * unit_length(prototypes)[None], axis=-1)

    def compute_output_shape(self, vectors_shape, prototypes_shape):
        return vectors_shape[0], vectors_shape[1]
