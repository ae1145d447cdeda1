from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.concept_losses import (
    concept_fidelity,
    negative_entropy,
    swapped_prediction,
)
from keras_avrep.losses.in_batch_multi_positive_nce import in_batch_multi_positive_nce
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.local_concept_contrast import (
    local_concept_contrast,
    strongest_concepts,
)
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.sinkhorn import sinkhorn_codes
from keras_avrep.losses.soft_region_contrast import soft_region_contrast
from keras_avrep.losses.timestamp_retrieval import timestamp_retrieval

__all__ = [
    "activation_alignment",
    "concept_fidelity",
    "cross_view_accuracy",
    "in_batch_multi_positive_nce",
    "in_batch_nce",
    "local_concept_contrast",
    "masked_log_sum_exp",
    "multi_positive_nce",
    "negative_entropy",
    "nt_xent",
    "sinkhorn_codes",
    "soft_region_contrast",
    "strongest_concepts",
    "swapped_prediction",
    "timestamp_retrieval",
]
