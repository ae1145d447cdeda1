from keras_avrep.views.clip_augmentation import ClipAugmentation
from keras_avrep.views.consecutive_clips import ConsecutiveClips
from keras_avrep.views.samplers import RandomClips, UniformClips

__all__ = ["ClipAugmentation", "ConsecutiveClips", "RandomClips", "UniformClips"]
