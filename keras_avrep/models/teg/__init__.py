from keras_avrep.models.teg.teg import TeG
from keras_avrep.models.teg.teg_views import TeGViews

__all__ = ["TeG", "TeGViews"]
