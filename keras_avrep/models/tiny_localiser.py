"""What the smallest configurations of the localisers share."""

SMALL_BACKBONE = {"blocks": [1, 1, 1, 1], "width_multiplier": 0.125}
SECOND = {"duration": 1.0, "sample_rate": 16000}

# Without its task.
TINY = {
    "backbone": {**SMALL_BACKBONE, "third_stride": 1},
    "audio_backbone": SMALL_BACKBONE,
    "views": {"size": 96},
    "clip": {**SECOND, "size": 96, "training_size": 104},
    # A pass over some hundred videos of a second is no epoch of the papers'.
    "schedule": {
        "learning_rate": 4e-3,
        "mixed_rate": 0.1,
        "negatives": 8,
        "solo_epochs": 20,
        "mixed_epochs": 5,
        "first_clustering": 10,
        "clustering_every": 5,
        "classification_passes": 2,
    },
    "description": "Two residual networks of 0.08 M parameters, 11 classes, pictures "
    "of 96x96 with maps of 12x12, to try things out on a CPU.",
}
