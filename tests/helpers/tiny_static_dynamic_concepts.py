"""The smallest StaticDynamicConcepts that has all of its parts."""

import keras
from tiny_dclr import draw_batch, draw_clips, draw_views

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import StaticDynamicConcepts, StaticDynamicConceptsViews

__all__ = ["build", "build_for_steps", "draw_batch", "draw_clips", "draw_views"]


def build(seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return StaticDynamicConcepts(
        backbone,
        StaticDynamicConceptsViews(size=16, flip=0.0, seed=seed),
        num_static=4,
        num_dynamic=3,
        hidden_dim=32,
        projection_dim=8,
        queue_size=8,
        top=3,
        seed=seed,
        **kwargs,
    )


def build_for_steps(seed=0):
    return build(seed, temperature=0.5, concept_temperature=0.5, epsilon=0.5)


def prepare(model):
    """State that a step needs beside random weights."""
    model.queue.count.assign(8)
