from keras_avrep.models.dclr import DCLR, DCLRViews
from keras_avrep.models.mstcn import MSTCN
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.systems import SYSTEMS, preset_names, system_named, system_of
from keras_avrep.models.teg import TeG, TeGViews
from keras_avrep.models.video_classifier import (
    ResNet3DVideoClassifier,
    VideoClassifier,
)

__all__ = [
    "DCLR",
    "MSTCN",
    "SYSTEMS",
    "DCLRViews",
    "PretrainingTask",
    "ResNet3DVideoClassifier",
    "TeG",
    "TeGViews",
    "VideoClassifier",
    "preset_names",
    "system_named",
    "system_of",
]
