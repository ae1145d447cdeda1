from keras_avrep.models.csol.csol import CSOL
from keras_avrep.models.csol.csol_phases import csol_phases
from keras_avrep.models.csol.mixture_trainer import MixtureTrainer

__all__ = ["CSOL", "MixtureTrainer", "csol_phases"]
