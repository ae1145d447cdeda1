from keras_avrep.models.const_cl.action_localiser import ActionLocaliser
from keras_avrep.models.const_cl.const_cl import ConSTCL
from keras_avrep.models.const_cl.const_cl_views import ConSTCLViews
from keras_avrep.models.const_cl.region_transform_head import (
    RegionFeatures,
    RegionTransformHead,
)
from keras_avrep.models.const_cl.siamese_tracker import SiameseTracker
from keras_avrep.models.const_cl.tracking import TrackingSettings, context_crop, track
from keras_avrep.models.const_cl.train_tracker import train_tracker

__all__ = [
    "ActionLocaliser",
    "ConSTCL",
    "ConSTCLViews",
    "RegionFeatures",
    "RegionTransformHead",
    "SiameseTracker",
    "TrackingSettings",
    "context_crop",
    "track",
    "train_tracker",
]
