"""Names of ConST-CL configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_clips import TINY_CLIP, TINY_VIEWS

FOLDER = Path(__file__).parent / "presets"

PAPER_VIEWS = {"size": 224}
PAPER_CLIP = {"num_frames": 16, "stride": 2, "size": 256}
# The rate is for the mean gradient; the L2 penalty is a term of the loss.
PAPER_OPTIMIZER = {
    "name": "sgd",
    "learning_rate": 40.96,
    "batch_size": 1024,
    "momentum": 0.9,
    # 2,500 of 100,000 steps.
    "warmup": 0.025,
    "decay": "cosine_from_start",
}

TINY = {
    "backbone": {
        "blocks": [1, 1, 1, 1],
        "width_multiplier": 0.1875,
        # Regions need cells: 6 x 6 of them, where the paper has 7 x 7.
        "spatial_strides": [1, 2, 1, 1],
    },
    "views": {
        **TINY_VIEWS,
        "crop_scale": [0.5, 1.0],
        "crop_ratio": [0.75, 1.33],
        "blur": [0.0, 0.0],
        "solarise": [0.0, 0.0],
    },
    "task": {
        "hidden_dim": 128,
        "projection_dim": 64,
        "context_length": 3,
        "head_dim": 32,
        # Adam takes a small weight out of the branch's gradients again.
        "loss_weights": {"global": 1.0, "local": 1.0},
    },
    "clip": TINY_CLIP,
}

PRESETS = {
    "const_cl_tiny": {
        **TINY,
        "description": "3-D residual network of 0.3 M parameters with a map of 6x6 "
        "cells for clips of 8x48x48, to try things out on a CPU.",
    },
    "const_cl_tiny_scenes": {
        **TINY,
        "description": "The same with weights: 600 steps on 1024 videos of the "
        "procedural world `scenes` with two sprites.",
    },
    "const_cl_resnet3d_50": {
        "backbone": {},
        "views": PAPER_VIEWS,
        "task": {"chunks": 16},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "The Y-shaped 50-layer trunk at 16x224x224 as the released "
        "configuration has it, for Kinetics-400 with 1024 videos a step: SGD 40.96, "
        "or in proportion for fewer videos, on a cosine over 100,000 steps.",
    },
    "const_cl_resnet3d_50_shared": {
        "backbone": {},
        "views": PAPER_VIEWS,
        "task": {"chunks": 16, "branch": "shared"},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "The same, trained alike, with one last stage for both "
        "objectives.",
    },
    "const_cl_resnet3d_50_112": {
        "backbone": {"spatial_strides": [1, 2, 2, 1]},
        "views": {"size": 112},
        "task": {},
        "clip": {"num_frames": 16, "stride": 2, "size": 128},
        "optimizer": PAPER_OPTIMIZER,
        "description": "The same trunk at 16x112x112 without the last stride, so "
        "that 7x7 cells are left: a fraction of the memory. No published recipe; "
        "trained as the others.",
    },
}
