from keras_avrep.models.dclr import DCLR, DCLRViews
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.static_dynamic_concepts import (
    StaticDynamicConcepts,
    StaticDynamicConceptsViews,
)
from keras_avrep.models.static_dynamic_views import StaticDynamicViews
from keras_avrep.models.systems import SYSTEMS, preset_names, system_named, system_of
from keras_avrep.models.video_classifier import (
    ResNet3DVideoClassifier,
    VideoClassifier,
)

__all__ = [
    "DCLR",
    "SYSTEMS",
    "DCLRViews",
    "PretrainingTask",
    "ResNet3DVideoClassifier",
    "StaticDynamicConcepts",
    "StaticDynamicConceptsViews",
    "StaticDynamicViews",
    "VideoClassifier",
    "preset_names",
    "system_named",
    "system_of",
]
