from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent

__all__ = [
    "activation_alignment",
    "cross_view_accuracy",
    "in_batch_nce",
    "multi_positive_nce",
    "nt_xent",
]
