"""Names of IEr configurations, with what they are good for."""

from pathlib import Path

from keras_avrep.models.tiny_localiser import SECOND, TINY

FOLDER = Path(__file__).parent / "presets"

IER_TINY = {
    **TINY,
    # With a scale of 10 the mean of a map as small as this one's says nothing of
    # classes, and with a weight of 1 both sides agree on one class for everything.
    # Products of a cosine and a fit are at most 1: with a sharpness of 3 the classes
    # of a place hardly differ. With 10 they do as much as those of CSOL.
    "task": {
        "embedding_dim": 64,
        "visual_logit_scale": 50.0,
        "sharpness": 10.0,
        "loss_weights": {"distillation": 0.1},
    },
    "schedule": {
        **TINY["schedule"],
        "mixed_rate": 0.025,
        "first_mixing": 10,
        "mixing_passes": 6,
        "mixing_rate": 1.0,
        # Else sounds no longer fit pictures after so many steps at the full rate.
        "mixing_correspondence": 1.0,
    },
}

PRESETS = {
    "ier_tiny": IER_TINY,
    "ier_tiny_orchestra": {
        **IER_TINY,
        "description": "The configuration of `ier_tiny` with weights: trained on 880 "
        "solos and 880 unconstrained videos of the world `orchestra`.",
    },
    "ier_resnet18": {
        "backbone": {},
        "audio_backbone": {},
        "views": {"size": 224},
        "task": {},
        "clip": {**SECOND, "size": 224, "training_size": 256},
        # As the defaults are; named so that shorter runs can begin earlier.
        "schedule": {"first_clustering": 2, "first_mixing": 3},
        "description": "Two ResNet-18 at 224x224, 11 classes, 512 numbers in which "
        "picture and sound are compared: the size of the sibling method's networks. "
        "With the sharpness of 3 of the notes no map exceeds 0.67.",
    },
}
