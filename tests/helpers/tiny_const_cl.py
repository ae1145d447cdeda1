"""The smallest ConST-CL that has all of its parts, and what it trains on."""

import keras
import numpy as np

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.models import ConSTCL, ConSTCLViews


def build(seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    backbone = ResNet3DBackbone(
        blocks=[1] * 4, width_multiplier=0.0625, spatial_strides=[1, 2, 1, 1]
    )
    changes = {"hidden_dim": 16, "projection_dim": 8, "head_dim": 8}
    changes.update(num_layers=2, num_heads=2, context_length=3, seed=seed)
    views = ConSTCLViews(size=24, blur=[0, 0], num_boxes=3, seed=seed)
    return ConSTCL(backbone, views, **{**changes, **kwargs})


def build_for_steps(seed=0):
    """Every term has a gradient, also with random weights and a batch of 4."""
    weights = {"global": 1.0, "local": 1.0, "kernel_l2": 0.01}
    temperatures = {"global_temperature": 0.5, "local_temperature": 0.5}
    return build(seed, loss_weights=weights, chunks=2, **temperatures)


def draw_batch(rng):
    """What the loader gives."""
    return {"video": rng.integers(0, 255, (4, 2, 6, 28, 28, 3), "uint8")}


def draw_boxes(rng):
    corner = rng.uniform(0, 0.5, (4, 2, 3, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.2, 0.5, corner.shape)], -1)
    return boxes.astype("float32")


def draw_views(rng):
    """What `make_views` gives; backends draw different random numbers."""
    # Clips of unlike colour and contrast: batch norm of features that hardly differ
    # would show rounding errors.
    video = rng.normal(size=(4, 2, 6, 24, 24, 3))
    video *= rng.uniform(0.3, 3.0, (4, 2, 1, 1, 1, 1))
    video += rng.normal(scale=2.0, size=(4, 2, 1, 1, 1, 3))
    video = video.astype("float32")
    boxes = draw_boxes(rng)
    mask = np.ones(boxes.shape[:-1], bool)
    return {"video": video, "boxes": boxes, "frame_boxes": boxes, "box_mask": mask}


def draw_clips(rng):
    """What the representation takes."""
    return rng.integers(0, 255, (4, 6, 24, 24, 3)).astype("float32")


def prepare(model):
    """State that a step needs beside random weights: none."""
