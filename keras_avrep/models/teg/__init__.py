from keras_avrep.models.teg.step_features import (
    StepFeatureExtractor,
    resample_nearest,
)
from keras_avrep.models.teg.teg import TeG
from keras_avrep.models.teg.teg_views import TeGViews

__all__ = ["StepFeatureExtractor", "TeG", "TeGViews", "resample_nearest"]
