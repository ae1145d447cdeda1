"""Names of CSOL configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_localiser import SECOND, TINY

FOLDER = Path(__file__).parent / "presets"

PRESETS = {
    "csol_tiny": {
        **TINY,
        "task": {"embedding_dim": 64, "unit_rows": True},
    },
    "csol_resnet18": {
        "backbone": {},
        "audio_backbone": {},
        "views": {"size": 224},
        "task": {},
        "clip": {**SECOND, "size": 224, "training_size": 256},
        "schedule": {},
        "description": "Two ResNet-18 at 224x224, 11 classes, as the paper has it but "
        "for the ImageNet weights that the picture network starts from.",
    },
}
