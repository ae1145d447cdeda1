import keras
from keras import ops

from keras_avrep.layers import PseudoMultiHot
from keras_avrep.models.solo_trainers import labels_of


class LabelledMixtures(keras.layers.Layer):
    """Mixes the sounds of clips with one source, and says which classes are in.

    Args:
        labels: int32 variable `(num_records,)`, the pseudo-class of each clip.
        num_classes: int. K.
        mixer: `keras_avrep.views.VolumeMixer`. Two clips of one pseudo-class are
            never mixed.
        curriculum: `keras_avrep.views.MixCurriculum` of how much to mix when, or
            `None` for what the mixer was made with. Defaults to `None`.

    Call arguments:
        waveforms: tensor `(B, S)` in [-1, 1].
        records: int tensor `(B,)`. Which clip each is.
        batches_seen: int scalar for the curriculum. Defaults to 0.

    Returns:
        Dict of float32 `waveform` `(B, S)`, and `classes` `(B, K)` of 0 and 1,
        all 0 where nothing is louder than the mixer's `silence_db`.

    Example:
    ```python
    mixtures = LabelledMixtures(trainer.labels, 11, VolumeMixer.ier(seed=0))
    mixtures(batch["audio"], batch["record"])["classes"].shape  # (32, 11)
    ```

    Reference: IEr (arXiv:2202.06406), note section 2.3.
    """

    def __init__(self, labels, num_classes, mixer, curriculum=None, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.labels = labels
        self.mixer = mixer
        self.curriculum = curriculum
        self.multi_hot = PseudoMultiHot(num_classes)
        self.built = True

    def call(self, waveforms, records, batches_seen=0):
        labels = labels_of(self.labels, records)
        amount = {} if self.curriculum is None else self.curriculum(batches_seen)
        mixed = self.mixer(waveforms, classes=labels, **amount)
        stems = ops.take(labels, mixed["sources"], axis=0)
        # A clip that is silent just then is of no class.
        heard = ops.take(mixed["heard"], mixed["sources"], axis=0)
        present = ops.logical_and(mixed["present"], heard)
        return {
            "waveform": mixed["mixture"],
            "classes": self.multi_hot(stems, present),
        }
