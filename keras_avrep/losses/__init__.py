from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.class_presence import class_presence
from keras_avrep.losses.concept_fidelity import concept_fidelity
from keras_avrep.losses.contrast_statistics import (
    cross_view_entropy,
    embedding_std,
    matched_entropy,
    region_similarities,
    step_accuracy,
    usage_perplexity,
)
from keras_avrep.losses.correspondence import correspondence
from keras_avrep.losses.cross_modal_distillation import cross_modal_distillation
from keras_avrep.losses.distribution_divergence import distribution_divergence
from keras_avrep.losses.in_batch_multi_positive_nce import in_batch_multi_positive_nce
from keras_avrep.losses.in_batch_nce import in_batch_nce
from keras_avrep.losses.kernel_l2 import kernel_l2, kernels_of
from keras_avrep.losses.local_concept_contrast import local_concept_contrast
from keras_avrep.losses.map_in_chunks import chunks_of_batch, map_in_chunks
from keras_avrep.losses.masked_binary_crossentropy import masked_binary_crossentropy
from keras_avrep.losses.masked_log_sum_exp import masked_log_sum_exp
from keras_avrep.losses.multi_label_prototype_loss import multi_label_prototype_loss
from keras_avrep.losses.multi_positive_nce import multi_positive_nce
from keras_avrep.losses.nt_xent import cross_view_accuracy, nt_xent
from keras_avrep.losses.region_matching import (
    match_most_overlapping,
    match_most_similar,
    match_same_index,
)
from keras_avrep.losses.region_nce import region_nce
from keras_avrep.losses.response_loss import near_target, response_loss
from keras_avrep.losses.soft_region_contrast import (
    soft_region_contrast,
    soft_region_floor,
)
from keras_avrep.losses.step_match import (
    interpolated_step_match,
    nearest_step_match,
    steps_within,
)
from keras_avrep.losses.swapped_prediction import swapped_prediction
from keras_avrep.losses.temporal_nce import temporal_nce
from keras_avrep.losses.timestamp_retrieval import timestamp_retrieval
from keras_avrep.losses.truncated_smoothing import truncated_smoothing
from keras_avrep.losses.wrong_mode_entropy import wrong_mode_entropy

__all__ = [
    "activation_alignment",
    "chunks_of_batch",
    "class_presence",
    "concept_fidelity",
    "correspondence",
    "cross_modal_distillation",
    "cross_view_accuracy",
    "cross_view_entropy",
    "distribution_divergence",
    "embedding_std",
    "in_batch_multi_positive_nce",
    "in_batch_nce",
    "interpolated_step_match",
    "kernel_l2",
    "kernels_of",
    "local_concept_contrast",
    "map_in_chunks",
    "masked_binary_crossentropy",
    "masked_log_sum_exp",
    "match_most_overlapping",
    "match_most_similar",
    "match_same_index",
    "matched_entropy",
    "multi_label_prototype_loss",
    "multi_positive_nce",
    "near_target",
    "nearest_step_match",
    "nt_xent",
    "region_nce",
    "region_similarities",
    "response_loss",
    "soft_region_contrast",
    "soft_region_floor",
    "step_accuracy",
    "steps_within",
    "swapped_prediction",
    "temporal_nce",
    "timestamp_retrieval",
    "truncated_smoothing",
    "usage_perplexity",
    "wrong_mode_entropy",
]
