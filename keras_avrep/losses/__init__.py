from keras_avrep.losses.activation_alignment import activation_alignment
from keras_avrep.losses.multi_positive_nce import multi_positive_nce

__all__ = ["activation_alignment", "multi_positive_nce"]
