from keras_avrep.models.dclr.dclr import DCLR
from keras_avrep.models.dclr.dclr_views import DCLRViews

__all__ = ["DCLR", "DCLRViews"]
