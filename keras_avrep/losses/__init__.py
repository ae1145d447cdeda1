from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.concept_fidelity import concept_fidelity
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.local_concept_contrast import local_concept_contrast
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.swapped_prediction import swapped_prediction
from keras_avrep.losses.wrong_mode_entropy import wrong_mode_entropy

__all__ = [
    "activation_alignment",
    "concept_fidelity",
    "cross_view_accuracy",
    "in_batch_nce",
    "local_concept_contrast",
    "multi_positive_nce",
    "nt_xent",
    "swapped_prediction",
    "wrong_mode_entropy",
]
