from keras_avrep.views.clip_augmentation import ClipAugmentation
from keras_avrep.views.nested_clips import NestedClipSampler
from keras_avrep.views.samplers import RandomClips, UniformClips

__all__ = ["ClipAugmentation", "NestedClipSampler", "RandomClips", "UniformClips"]
