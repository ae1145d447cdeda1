import keras
from keras import ops

from keras_avrep.layers.unit_length import unit_length


@keras.saving.register_keras_serializable(package="keras_avrep")
class ClassVisualMaps(keras.layers.Layer):
    """Where a picture looks like each class: cosine with the class's prototype.

    What is silent is in these maps as well.

    Args:
        relu: bool. Whether negative cosines become 0, before maps are multiplied.
            Defaults to `True`.

    Call arguments:
        features: tensor `(B, h, w, C)`.
        prototypes: tensor `(K, C)`.

    Returns:
        float32 tensor `(B, h, w, K)`.

    Example:
    ```python
    features = keras.random.normal((2, 6, 6, 8))
    prototypes = keras.random.normal((3, 8))
    ClassVisualMaps()(features, prototypes).shape  # (2, 6, 6, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note section 3.4.
    """

    def __init__(self, relu=True, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.relu = relu
        self.built = True

    def call(self, features, prototypes):
        cosines = ops.matmul(
            unit_length(features), ops.transpose(unit_length(prototypes))
        )
        return ops.relu(cosines) if self.relu else cosines

    def compute_output_shape(self, features_shape, prototypes_shape):
        return (*features_shape[:-1], prototypes_shape[0])

    def get_config(self):
        return {**super().get_config(), "relu": self.relu}
