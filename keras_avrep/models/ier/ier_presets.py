"""Names of IEr configurations, with what they are good for."""

from pathlib import Path

FOLDER = Path(__file__).parent / "presets"
SMALL = {"blocks": [1, 1, 1, 1], "width_multiplier": 0.125}
# A pass over a few hundred videos of a second is no epoch of the paper's.
SHORT_EPOCHS = {
    "learning_rate": 4e-3,
    "negatives": 8,
    "solo_epochs": 40,
    "mixed_epochs": 20,
    "first_clustering": 20,
    "clustering_every": 10,
    "classification_passes": 2,
    "first_mixing": 20,
}
SECOND = {"duration": 1.0, "sample_rate": 16000}

PRESETS = {
    "ier_tiny": {
        "backbone": {**SMALL, "third_stride": 1},
        "audio_backbone": SMALL,
        "views": {"size": 96},
        "task": {"embedding_dim": 64},
        "clip": {**SECOND, "size": 96, "training_size": 104},
        "schedule": SHORT_EPOCHS,
        "description": "Two residual networks of 0.08 M parameters, 11 classes, "
        "pictures of 96x96 with maps of 12x12, to try things out on a CPU.",
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
