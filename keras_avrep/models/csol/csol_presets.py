"""Names of CSOL configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_localiser import SECOND, TINY

FOLDER = Path(__file__).parent / "presets"

CSOL_TINY = {**TINY, "task": {"embedding_dim": 64, "unit_rows": True}}

PRESETS = {
    "csol_tiny": CSOL_TINY,
    "csol_tiny_orchestra": {
        **CSOL_TINY,
        "description": "The configuration of `csol_tiny` with weights: trained on 880 "
        "solos and 880 composites of the world `orchestra`.",
    },
    "csol_resnet18": {
        "backbone": {},
        "audio_backbone": {},
        "views": {"size": 224},
        "task": {},
        "clip": {**SECOND, "size": 224, "training_size": 256},
        # As the defaults are; named so that shorter runs can begin earlier.
        "schedule": {"first_clustering": 2},
        "description": "Two ResNet-18 at 224x224, 11 classes, as the paper has it but "
        "for the ImageNet weights that the picture network starts from.",
    },
}
