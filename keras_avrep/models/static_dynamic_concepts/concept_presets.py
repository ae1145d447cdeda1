"""Names of Static and Dynamic Concepts configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_clips import TINY_CLIP, TINY_R2PLUS1D, TINY_VIEWS

FOLDER = Path(__file__).parent / "presets"

TINY = {
    "backbone": TINY_R2PLUS1D,
    "views": {
        **TINY_VIEWS,
        "crop_scale": [0.5, 1.0],
    },
    "task": {
        "num_static": 16,
        "num_dynamic": 16,
        "hidden_dim": 128,
        "projection_dim": 64,
        "queue_size": 256,
        "temperature": 0.1,
        "top": 5,
        "freeze_bank_for": 30,
        "local_after": 150,
        "max_rate": 1.5,
    },
    "clip": TINY_CLIP,
}

PAPER_VIEWS = {"size": 128}
PAPER_CLIP = {"num_frames": 16, "stride": 2, "size": 160}
ADAM = {"name": "adam", "learning_rate": 1e-3, "weight_decay": 1e-5}
# A tenth from round 200 of 300, and from round 70 of 100.
UCF101_OPTIMIZER = {**ADAM, "decay": [2 / 3]}
KINETICS_OPTIMIZER = {**ADAM, "decay": [0.7]}
UCF101 = {
    "num_static": 50,
    "num_dynamic": 50,
    # One and ten rounds of the 9,537 videos of split 1, 64 at a time.
    "freeze_bank_for": 149,
    "local_after": 1490,
}
KINETICS = {
    "num_static": 100,
    "num_dynamic": 100,
    # One and ten rounds of about 240,000 videos, 64 at a time.
    "freeze_bank_for": 3750,
    "local_after": 37500,
}

# Their schedule follows the length of a run, that of the others its rounds.
SCHEDULED_BY_SHARE = (
    "static_dynamic_concepts_tiny",
    "static_dynamic_concepts_tiny_scenes",
)

PRESETS = {
    "static_dynamic_concepts_tiny": {
        **TINY,
        "description": "R(2+1)D of 0.4 M parameters for clips of 8x48x48 and 16 "
        "concepts of each kind, to try things out on a CPU.",
    },
    "static_dynamic_concepts_tiny_scenes": {
        **TINY,
        "description": "The same with weights: 300 steps on 1024 "
        "videos of the procedural world `scenes`.",
    },
    "static_dynamic_concepts_r2plus1d_ucf101": {
        "backbone": {"convolution": "2plus1d", "blocks": [1, 1, 1, 1]},
        "views": PAPER_VIEWS,
        "task": UCF101,
        "clip": PAPER_CLIP,
        "optimizer": UCF101_OPTIMIZER,
        "description": "R(2+1)D with one block a stage at 16x128x128 and 50 concepts "
        "of each kind, as the released code and its notes on UCF-101 have it: Adam "
        "1e-3, a tenth after two thirds of 300 rounds.",
    },
    "static_dynamic_concepts_r2plus1d_k400": {
        "backbone": {"convolution": "2plus1d", "blocks": [1, 1, 1, 1]},
        "views": PAPER_VIEWS,
        "task": KINETICS,
        "clip": PAPER_CLIP,
        "optimizer": KINETICS_OPTIMIZER,
        "description": "R(2+1)D with one block a stage at 16x128x128 and 100 concepts "
        "of each kind, as the released notes on Kinetics-400 have it: Adam 1e-3, a "
        "tenth after 70 of 100 rounds.",
    },
    "static_dynamic_concepts_r3d_18_k400": {
        "backbone": {
            "convolution": "3d",
            "blocks": [2, 2, 2, 2],
            "stem_frames": 7,
            "stem_pool": True,
        },
        "views": PAPER_VIEWS,
        "task": KINETICS,
        "clip": PAPER_CLIP,
        "optimizer": KINETICS_OPTIMIZER,
        "description": "R3D-18 at 16x128x128 and 100 concepts of each kind, with the "
        "stem of 7x7x7 and the pooling of the released code, which does not use it: "
        "maps are 2x4x4. Trained as the one before.",
    },
}
