"""Names of TeG configurations, with what they are good for.

A name with weights resolves to a packaged directory; the others are built from
the arguments here.
"""

from pathlib import Path

from keras_avrep.models.tiny_clips import TINY_CLIP, TINY_VIEWS

FOLDER = Path(__file__).parent / "presets"

TINY = {
    "backbone": {"blocks": [1, 1, 1, 1], "width_multiplier": 0.2},
    "views": {
        **TINY_VIEWS,
        "crop_scale": [0.5, 1.0],
        "blur": [0.0, 0.0],
        "solarise": [0.0, 0.0],
    },
    "clip": TINY_CLIP,
}
TINY_TASK = {
    "hidden_dim": 128,
    "projection_dim": 64,
    "projection_layers": 2,
    "long_frames": 16,
    "long_stride": 1,
}

PAPER = {
    "backbone": {},
    "views": {"size": 224},
    "clip": {"num_frames": 16, "stride": 2, "size": 256},
    # That of CVRL, its rate for the mean gradient; the paper's is not known.
    "optimizer": {
        "name": "sgd",
        "learning_rate": 40.96,
        "batch_size": 1024,
        "momentum": 0.9,
        "weight_decay": 1e-6,
        "decayed": "kernel",
        # 1,787 of 71,488 steps.
        "warmup": 0.025,
        "decay": "cosine_from_start",
    },
}
# With batches of 1024 all similarities at once would be half a gigabyte.
PAPER_TASK = {"cross_chunks": 16}
PERSISTENT, FINE = {"persistent": 1.0}, {"fine": 1.0}


def equal_rate(**task):
    """Arguments of a task whose long clip has 32 frames at stride 2."""
    return {**PAPER_TASK, "long_frames": 32, "long_stride": 2, **task}


PRESETS = {
    "teg_tiny": {
        **TINY,
        "task": TINY_TASK,
        "description": "Both terms, 3-D ResNet of 0.4 M parameters, 8 frames within "
        "16 at 48x48, to try things out on a CPU.",
    },
    "teg_tiny_scenes": {
        **TINY,
        "task": TINY_TASK,
        "description": "`teg_tiny` with weights: 600 steps on 1024 "
        "videos of the procedural world `scenes`.",
    },
    "teg_tiny_persistent": {
        **TINY,
        "task": {**TINY_TASK, "loss_weights": PERSISTENT},
        "description": "`teg_tiny` with the persistent term only.",
    },
    "teg_tiny_fine": {
        **TINY,
        "task": {**TINY_TASK, "loss_weights": FINE},
        "description": "`teg_tiny` with the fine-grained term only.",
    },
    "teg_persistent": {
        **PAPER,
        "task": equal_rate(loss_weights=PERSISTENT),
        "description": "3D-ResNet-50 at 224x224, 16 frames within 32 at stride 2, "
        "persistent term only. Sizes are chosen, the paper's are not known. Trained "
        "as CVRL: SGD 40.96 for 1024 videos a step, on a cosine over 71,488 steps.",
    },
    "teg_fine": {
        **PAPER,
        "task": equal_rate(loss_weights=FINE),
        "description": "As `teg_persistent`, fine-grained term only.",
    },
    "teg_both": {
        **PAPER,
        "task": equal_rate(),
        "description": "As `teg_persistent`, both terms at weight 1.",
    },
    "teg_both_balanced": {
        **PAPER,
        "task": equal_rate(loss_weights={"fine": 1.0, "persistent": 0.5}),
        "description": "As `teg_both`, the persistent term at 0.5: it is a sum of "
        "two directions, the fine one a mean.",
    },
    "teg_both_equal_frames": {
        **PAPER,
        "task": {
            **PAPER_TASK,
            "long_frames": 16,
            "long_stride": 5,
            "match": "interpolated",
        },
        "description": "Both terms, 16 frames at stride 2 within 16 at stride 5, "
        "steps matched by interpolation; both clips cost the same.",
    },
    "teg_both_wide": {
        **PAPER,
        "task": {**PAPER_TASK, "long_frames": 64, "long_stride": 2},
        "description": "Both terms, 16 frames within 64 at stride 2: the most steps "
        "to tell apart.",
    },
}
