from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.step_match import (
    interpolated_step_match,
    nearest_step_match,
    steps_within,
)
from keras_avrep.losses.temporal_nce import temporal_nce
from keras_avrep.losses.truncated_smoothing import truncated_smoothing

__all__ = [
    "activation_alignment",
    "cross_view_accuracy",
    "in_batch_nce",
    "interpolated_step_match",
    "multi_positive_nce",
    "nearest_step_match",
    "nt_xent",
    "steps_within",
    "temporal_nce",
    "truncated_smoothing",
]
