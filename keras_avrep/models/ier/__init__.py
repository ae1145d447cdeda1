from keras_avrep.models.ier.erasing_trainer import ErasingTrainer
from keras_avrep.models.ier.ier import InterferenceEraser
from keras_avrep.models.ier.ier_phases import ier_phases
from keras_avrep.models.ier.labelled_mixtures import LabelledMixtures
from keras_avrep.models.ier.mixing_trainer import MixingTrainer
from keras_avrep.models.ier.prototype_referrer import PrototypeReferrer

__all__ = [
    "ErasingTrainer",
    "InterferenceEraser",
    "LabelledMixtures",
    "MixingTrainer",
    "PrototypeReferrer",
    "ier_phases",
]
