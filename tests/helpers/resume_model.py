"""The smallest DCLR that has all of its parts."""

import keras

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews


def build(seed=0, hidden_dim=8, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return DCLR(
        backbone,
        DCLRViews(size=16, flip=0.0, blur=0.0, seed=seed),
        hidden_dim=hidden_dim,
        projection_dim=8,
        queue_size=16,
        seed=seed,
        **kwargs,
    )
