from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.concept_losses import (
    concept_fidelity,
    negative_entropy,
    swapped_prediction,
)
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.local_concept_contrast import (
    local_concept_contrast,
    strongest_concepts,
)
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.sinkhorn import sinkhorn_codes

__all__ = [
    "activation_alignment",
    "concept_fidelity",
    "cross_view_accuracy",
    "in_batch_nce",
    "local_concept_contrast",
    "multi_positive_nce",
    "negative_entropy",
    "nt_xent",
    "sinkhorn_codes",
    "strongest_concepts",
    "swapped_prediction",
]
