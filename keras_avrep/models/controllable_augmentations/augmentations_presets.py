"""Names of Controllable Augmentations configurations, and what they are good for.

A name with weights resolves to a packaged directory; the others are built from
the arguments here.
"""

from pathlib import Path

from keras_avrep.models.tiny_clips import TINY_CLIP, TINY_R2PLUS1D, TINY_VIEWS

FOLDER = Path(__file__).parent / "presets"

PAPER_VIEWS = {"size": 128}
PAPER_TASK = {"grid": [2, 4, 4], "region_stage": "stage4", "chunks": 16}
# MLFO retrieves timestamps at three depths.
DEPTHS = {"stage2": 0.3, "stage3": 0.5, "stage4": 1.0}
PAPER_CLIP = {"num_frames": 16, "stride": 1, "size": 144}
# That of the authors' earlier work on Kinetics-400: a tenth from round 70 of 100.
PAPER_OPTIMIZER = {
    "name": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 1e-5,
    "decay": [0.7],
}

TINY = {
    "backbone": TINY_R2PLUS1D,
    "views": {
        **TINY_VIEWS,
        "local_crop_scale": [0.5, 1.0],
        "global_crop_scale": [0.5, 1.0],
    },
    "task": {
        "hidden_dim": 128,
        "projection_dim": 64,
        "critic_dim": 64,
        # Of 8x48x48 stage 3 makes 2x6x6 and stage 4 only 1x3x3.
        "region_stage": "stage3",
        "grid": [2, 3, 3],
        "time_stages": {"stage2": 0.5, "stage3": 1.0},
        "temperature": 0.1,
    },
    "clip": TINY_CLIP,
}

PRESETS = {
    "controllable_augmentations_tiny": {
        **TINY,
        "description": "R(2+1)D of 0.4 M parameters, three local clips and a global "
        "view of 8x48x48, to try things out on a CPU.",
    },
    "controllable_augmentations_tiny_scenes": {
        **TINY,
        "description": "The same with weights: 300 steps on 1024 "
        "videos of the procedural world `scenes`.",
    },
    "controllable_augmentations_r3d_18": {
        "backbone": {
            "convolution": "3d",
            "blocks": [2, 2, 2, 2],
            "stem_frames": 7,
            "stem_pool": True,
        },
        "views": PAPER_VIEWS,
        "task": {**PAPER_TASK, "time_stages": DEPTHS},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R3D-18 at 16x128x128 with 2x4x4 regions of stage 4, its stem "
        "that of the authors' earlier work. The "
        "paper's own settings are not known: a configuration in the manner of the "
        "authors' earlier work, without weights: Adam 1e-3, a tenth after 70 % of "
        "the run.",
    },
    "controllable_augmentations_r2plus1d_18": {
        "backbone": {"convolution": "2plus1d", "blocks": [2, 2, 2, 2]},
        "views": PAPER_VIEWS,
        "task": {**PAPER_TASK, "time_stages": DEPTHS},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R(2+1)D-18 at 16x128x128 with 2x4x4 regions of stage 4, "
        "otherwise as the R3D-18.",
    },
}
