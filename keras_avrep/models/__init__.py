from keras_avrep.models.dclr import DCLR, DCLRViews

__all__ = ["DCLR", "DCLRViews"]
