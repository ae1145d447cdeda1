from keras_avrep.worlds.cut_folder import render_seconds
from keras_avrep.worlds.mixture_folder import render_mixtures
from keras_avrep.worlds.orchestra import OrchestraWorld
from keras_avrep.worlds.render import render_world
from keras_avrep.worlds.scenes import ScenesWorld

__all__ = [
    "OrchestraWorld",
    "ScenesWorld",
    "render_mixtures",
    "render_seconds",
    "render_world",
]
