"""Names of CSOL configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.pixel_features import renormalisation
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
    "csol_resnet18_audioset": {
        # Pixels from 0 to 1, as released.
        "backbone": renormalisation(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        "audio_backbone": {},
        # Inner products, not cosines.
        "av_map": {"scale": 1.0, "normalise": False, "use_bias": True},
        "views": {"size": 224},
        "task": {
            "num_classes": 13,
            "gate": "off",
            "loss_weights": {"correspondence": 1.0},
        },
        "clip": {**SECOND, "size": 224, "training_size": 256},
        "schedule": {
            "first_clustering": 11,
            "category": "presence",
            "temperature": 0.7,
            "warm_up_epochs": 50,
        },
        "description": "The released variant for AudioSet: 13 classes, inner products "
        "for cosines, no gate, each class heard and seen on its own.",
    },
}
