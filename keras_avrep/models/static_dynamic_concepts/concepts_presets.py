"""Names of configurations of Static and Dynamic Concepts."""

from pathlib import Path

FOLDER = Path(__file__).parent / "presets"

PAPER_VIEWS = {"size": 128}
PAPER_CLIP = {"num_frames": 16, "stride": 1, "size": 150}

PRESETS = {
    "static_dynamic_concepts_tiny": {
        "backbone": {
            "convolution": "2plus1d",
            "blocks": [1, 1, 1, 1],
            "width_multiplier": 0.1875,
        },
        "views": {
            "size": 48,
            "crop_scale": [0.5, 1.0],
            # Directions are to be learned, and colours tell small scenes apart.
            "flip": 0.0,
            "jitter": 0.0,
            "gray": 0.0,
        },
        "task": {
            "num_static": 16,
            "num_dynamic": 16,
            "hidden_dim": 128,
            "projection_dim": 64,
            "queue_size": 256,
            "temperature": 0.1,
            "top": 6,
            "max_step": 1.0,
        },
        "clip": {"num_frames": 8, "stride": 1, "size": 48},
        "description": "R(2+1)D of 0.4 M parameters for clips of 8x48x48 and 16 "
        "concepts of each kind, to try things out on a CPU.",
    },
    "static_dynamic_concepts_r2plus1d_ucf101": {
        "backbone": {"convolution": "2plus1d", "blocks": [1, 1, 1, 1]},
        "views": PAPER_VIEWS,
        "task": {"num_static": 50, "num_dynamic": 50, "queue_size": 1024},
        "clip": PAPER_CLIP,
        "description": "R(2+1)D with one block a stage at 16x128x128 and 50 concepts "
        "of each kind, as the released code has for UCF-101.",
    },
    "static_dynamic_concepts_r2plus1d_kinetics": {
        "backbone": {"convolution": "2plus1d", "blocks": [1, 1, 1, 1]},
        "views": PAPER_VIEWS,
        "task": {"num_static": 100, "num_dynamic": 100, "queue_size": 1024},
        "clip": PAPER_CLIP,
        "description": "The same network with 100 concepts of each kind, as for "
        "Kinetics-400.",
    },
    "static_dynamic_concepts_r3d_18_kinetics": {
        "backbone": {"convolution": "3d", "blocks": [2, 2, 2, 2]},
        "views": PAPER_VIEWS,
        "task": {"num_static": 100, "num_dynamic": 100, "queue_size": 1024},
        "clip": PAPER_CLIP,
        "description": "R3D-18, which the released code has commented out; its stem "
        "has a max-pool there, ours has none.",
    },
}
