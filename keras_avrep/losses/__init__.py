from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.in_batch_multi_positive_nce import in_batch_multi_positive_nce
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.soft_region_contrast import soft_region_contrast
from keras_avrep.losses.timestamp_retrieval import timestamp_retrieval

__all__ = [
    "activation_alignment",
    "cross_view_accuracy",
    "in_batch_multi_positive_nce",
    "in_batch_nce",
    "masked_log_sum_exp",
    "multi_positive_nce",
    "nt_xent",
    "soft_region_contrast",
    "timestamp_retrieval",
]
