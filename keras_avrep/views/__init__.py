from keras_avrep.views.channel_gray import channel_gray
from keras_avrep.views.clip_augmentation import ClipAugmentation
from keras_avrep.views.clip_views import ClipViews
from keras_avrep.views.consecutive_clips import ConsecutiveClips
from keras_avrep.views.controllable_augment import ControllableAugment
from keras_avrep.views.frame_views import FrameViews
from keras_avrep.views.key_frame_clips import KeyFrameClips, key_frame_times
from keras_avrep.views.linear_decay_sampler import LinearDecaySampler
from keras_avrep.views.mixing import MixCurriculum, VolumeMixer
from keras_avrep.views.nested_clips import NestedClipSampler
from keras_avrep.views.paired_clip_views import PairedClipViews
from keras_avrep.views.random_boxes import boxes_in_frame, boxes_in_view, draw_boxes
from keras_avrep.views.random_moment import RandomMoment
from keras_avrep.views.samplers import RandomClips, UniformClips
from keras_avrep.views.static_dynamic_views import static_dynamic_views

__all__ = [
    "ClipAugmentation",
    "ClipViews",
    "ConsecutiveClips",
    "ControllableAugment",
    "FrameViews",
    "KeyFrameClips",
    "LinearDecaySampler",
    "MixCurriculum",
    "NestedClipSampler",
    "PairedClipViews",
    "RandomClips",
    "RandomMoment",
    "UniformClips",
    "VolumeMixer",
    "boxes_in_frame",
    "boxes_in_view",
    "channel_gray",
    "draw_boxes",
    "key_frame_times",
    "static_dynamic_views",
]
