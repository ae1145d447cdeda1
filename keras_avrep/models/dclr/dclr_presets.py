"""Names of DCLR configurations, with what they are good for.

A name with weights resolves to a packaged directory; the others are built from
the arguments here.
"""

from pathlib import Path

from keras_avrep.models.tiny_clips import TINY_CLIP, TINY_R2PLUS1D, TINY_VIEWS

FOLDER = Path(__file__).parent / "presets"

TINY = {
    "backbone": TINY_R2PLUS1D,
    "views": {
        **TINY_VIEWS,
        "crop_scale": [0.5, 1.0],
        "blur": 0.0,
    },
    "task": {
        "hidden_dim": 128,
        "projection_dim": 64,
        "queue_size": 256,
        "momentum": 0.99,
        "temperature": 0.1,
    },
    "clip": TINY_CLIP,
}

PAPER_VIEWS = {"size": 112}
PAPER_CLIP = {"num_frames": 16, "stride": 2, "size": 128}
# Of UCF-101, 200 rounds; what Kinetics had is not published.
PAPER_OPTIMIZER = {
    "name": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "decay": [0.6, 0.8],
}

PRESETS = {
    "dclr_tiny": {
        **TINY,
        "description": "R(2+1)D of 0.4 M parameters for clips of 8x48x48, to try "
        "things out on a CPU.",
    },
    "dclr_tiny_scenes": {
        **TINY,
        "description": "`dclr_tiny` after 600 steps: backbone weights trained on the "
        "procedural world `scenes`, nothing else.",
    },
    "dclr_r2plus1d_ucf101": {
        "backbone": {"convolution": "2plus1d", "blocks": [1, 1, 1, 1]},
        "views": PAPER_VIEWS,
        "task": {"queue_size": 2048},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R(2+1)D with one block a stage at 16x112x112 and a queue of "
        "2048, as the released code builds for UCF-101: SGD 0.01, a tenth at 60 and "
        "80 % of 200 rounds.",
    },
    "dclr_r2plus1d_18_ucf101": {
        "backbone": {"convolution": "2plus1d", "blocks": [2, 2, 2, 2]},
        "views": PAPER_VIEWS,
        "task": {"queue_size": 2048},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R(2+1)D-18 at 16x112x112 and a queue of 2048, trained as "
        "`dclr_r2plus1d_ucf101`.",
    },
    "dclr_r2plus1d_18_kinetics": {
        "backbone": {"convolution": "2plus1d", "blocks": [2, 2, 2, 2]},
        "views": PAPER_VIEWS,
        "task": {"queue_size": 16384},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R(2+1)D-18 at 16x112x112 and the queue of 16384 used for "
        "Kinetics-400; its rates are not published, so those of UCF-101.",
    },
    "dclr_r3d_18_ucf101": {
        "backbone": {"convolution": "3d", "blocks": [2, 2, 2, 2]},
        "views": PAPER_VIEWS,
        "task": {"queue_size": 2048},
        "clip": PAPER_CLIP,
        "optimizer": PAPER_OPTIMIZER,
        "description": "R3D-18 at 16x112x112 and a queue of 2048, trained as "
        "`dclr_r2plus1d_ucf101`.",
    },
}
