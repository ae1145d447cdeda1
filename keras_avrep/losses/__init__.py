from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.kernel_l2 import kernel_l2, kernels_of
from keras_avrep.losses.l2_normalise import l2_normalise
from keras_avrep.losses.masked_binary_crossentropy import masked_binary_crossentropy
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.region_matching import (
    match_most_overlapping,
    match_most_similar,
    match_same_index,
)
from keras_avrep.losses.region_nce import region_nce
from keras_avrep.losses.response_loss import near_target, response_loss

__all__ = [
    "activation_alignment",
    "cross_view_accuracy",
    "in_batch_nce",
    "kernel_l2",
    "kernels_of",
    "l2_normalise",
    "masked_binary_crossentropy",
    "match_most_overlapping",
    "match_most_similar",
    "match_same_index",
    "multi_positive_nce",
    "near_target",
    "nt_xent",
    "region_nce",
    "response_loss",
]
