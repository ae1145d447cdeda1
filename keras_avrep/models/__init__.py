from keras_avrep.models.dclr import DCLR, DCLRViews
from keras_avrep.models.video_classifier import VideoClassifier

__all__ = ["DCLR", "DCLRViews", "VideoClassifier"]
