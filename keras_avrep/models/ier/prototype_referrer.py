import keras
from keras import ops

LAYERS = ("referrer", "visual_prototypes", "audio_prototypes")


@keras.saving.register_keras_serializable(package="keras_avrep")
class PrototypeReferrer(keras.layers.Layer):
    """A `CrossModalReferrer` with the prototypes that it compares with.

    In a functional model they have to belong to a layer: variables that a layer is
    called with would become constants.

    Args:
        referrer: `keras_avrep.layers.CrossModalReferrer`.
        visual_prototypes: `keras_avrep.layers.PrototypeBank` of K rows.
        audio_prototypes: `keras_avrep.layers.PrototypeBank` of K rows.

    Call arguments:
        features: tensor `(B, h, w, C)` of the picture.
        sound_maps: tensor `(B, h, w, K)` in [0, 1].
        vectors: tensor `(B, K, C)` of the sound.

    Returns:
        What `CrossModalReferrer` returns.

    Example:
    ```python
    bank = keras_avrep.layers.PrototypeBank(num_classes=3, dim=8)
    refer = PrototypeReferrer(keras_avrep.layers.CrossModalReferrer(), bank, bank)
    ```

    Reference: IEr (arXiv:2202.06406), note sections 3.4 and 3.5.
    """

    def __init__(self, referrer, visual_prototypes, audio_prototypes, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.referrer = referrer
        self.visual_prototypes = visual_prototypes
        self.audio_prototypes = audio_prototypes
        self.built = True

    def call(self, features, sound_maps, vectors):
        return self.referrer(
            features,
            sound_maps,
            vectors,
            ops.convert_to_tensor(self.visual_prototypes.prototypes),
            ops.convert_to_tensor(self.audio_prototypes.prototypes),
        )

    @classmethod
    def from_config(cls, config):
        layers = {name: keras.layers.deserialize(config[name]) for name in LAYERS}
        return cls(**{**config, **layers})

    def get_config(self):
        layers = {name: keras.layers.serialize(getattr(self, name)) for name in LAYERS}
        return {**super().get_config(), **layers}
