from keras_avrep.views.channel_gray import channel_gray
from keras_avrep.views.clip_augmentation import ClipAugmentation
from keras_avrep.views.consecutive_clips import ConsecutiveClips
from keras_avrep.views.samplers import RandomClips, UniformClips
from keras_avrep.views.static_dynamic_views import static_dynamic_views

__all__ = [
    "ClipAugmentation",
    "ConsecutiveClips",
    "RandomClips",
    "UniformClips",
    "channel_gray",
    "static_dynamic_views",
]
