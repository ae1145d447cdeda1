"""Names of IEr configurations, with what they are good for."""

from pathlib import Path

FOLDER = Path(__file__).parent / "presets"
SECOND = {"duration": 1.0, "sample_rate": 16000}

PRESETS = {
    "ier_tiny": {
        "backbone": {"blocks": [1, 1, 1, 1], "width_multiplier": 0.25},
        "audio_backbone": {"blocks": [1, 1, 1, 1], "width_multiplier": 0.25},
        "views": {"size": 96},
        "task": {"embedding_dim": 64},
        "clip": {**SECOND, "size": 96, "training_size": 104},
        "schedule": {"learning_rate": 1e-3},
        "description": "Two residual networks of 0.3 M parameters, 11 classes, "
        "pictures of 96x96, to try things out on a CPU.",
    },
    "ier_resnet18": {
        "backbone": {},
        "audio_backbone": {},
        "views": {"size": 224},
        "task": {},
        "clip": {**SECOND, "size": 224, "training_size": 256},
        "schedule": {},
        "description": "Two ResNet-18 at 224x224, 11 classes, 512 numbers in which "
        "picture and sound are compared: the size of the sibling method's networks.",
    },
}
