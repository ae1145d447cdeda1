from keras_avrep.models.const_cl import (
    ActionLocaliser,
    ConSTCL,
    ConSTCLViews,
    SiameseTracker,
    TrackingSettings,
    context_crop,
    track,
    train_tracker,
)
from keras_avrep.models.controllable_augmentations import (
    ControllableAugmentations,
    ControllableAugmentationsViews,
    LocalGlobalSampler,
)
from keras_avrep.models.csol import CSOL
from keras_avrep.models.dclr import DCLR, DCLRViews
from keras_avrep.models.ier import InterferenceEraser
from keras_avrep.models.localisation_task import LocalisationTask
from keras_avrep.models.mstcn import MSTCN, pad_sequences
from keras_avrep.models.pixel_features import (
    KINETICS_MEAN,
    KINETICS_STD,
    renormalisation,
)
from keras_avrep.models.preset_task import PresetTask
from keras_avrep.models.pretraining_task import PretrainingTask
from keras_avrep.models.static_dynamic_concepts import (
    ConceptViews,
    StaticDynamicConcepts,
)
from keras_avrep.models.systems import (
    LOCALISERS,
    SYSTEMS,
    all_systems,
    preset_names,
    system_named,
    system_of,
)
from keras_avrep.models.teg import (
    StepFeatureExtractor,
    TeG,
    TeGViews,
    resample_nearest,
)
from keras_avrep.models.train_mstcn import train_mstcn
from keras_avrep.models.video_classifier import ResNet3DVideoClassifier, VideoClassifier

__all__ = [
    "CSOL",
    "DCLR",
    "KINETICS_MEAN",
    "KINETICS_STD",
    "LOCALISERS",
    "MSTCN",
    "SYSTEMS",
    "ActionLocaliser",
    "ConSTCL",
    "ConSTCLViews",
    "ConceptViews",
    "ControllableAugmentations",
    "ControllableAugmentationsViews",
    "DCLRViews",
    "InterferenceEraser",
    "LocalGlobalSampler",
    "LocalisationTask",
    "PresetTask",
    "PretrainingTask",
    "ResNet3DVideoClassifier",
    "SiameseTracker",
    "StaticDynamicConcepts",
    "StepFeatureExtractor",
    "TeG",
    "TeGViews",
    "TrackingSettings",
    "VideoClassifier",
    "all_systems",
    "context_crop",
    "pad_sequences",
    "preset_names",
    "renormalisation",
    "resample_nearest",
    "system_named",
    "system_of",
    "track",
    "train_mstcn",
    "train_tracker",
]
