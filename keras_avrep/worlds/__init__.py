from keras_avrep.worlds.render import render_world
from keras_avrep.worlds.scenes import ScenesWorld

__all__ = ["ScenesWorld", "render_world"]
