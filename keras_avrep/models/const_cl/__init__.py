from keras_avrep.models.const_cl.const_cl import ConSTCL
from keras_avrep.models.const_cl.const_cl_views import ConSTCLViews
from keras_avrep.models.const_cl.region_transform_head import (
    RegionFeatures,
    RegionTransformHead,
)

__all__ = ["ConSTCL", "ConSTCLViews", "RegionFeatures", "RegionTransformHead"]
