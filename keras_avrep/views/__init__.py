from keras_avrep.views.clip_augmentation import ClipAugmentation
from keras_avrep.views.mixing import MixCurriculum, VolumeMixer
from keras_avrep.views.samplers import RandomClips, UniformClips

__all__ = [
    "ClipAugmentation",
    "MixCurriculum",
    "RandomClips",
    "UniformClips",
    "VolumeMixer",
]
