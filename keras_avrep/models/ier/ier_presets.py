"""Names of IEr configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_localiser import SECOND, TINY

FOLDER = Path(__file__).parent / "presets"

PRESETS = {
    "ier_tiny": {
        **TINY,
        "task": {"embedding_dim": 64},
        "schedule": {**TINY["schedule"], "first_mixing": 10},
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
