"""Which systems `tiny_NAME.py` beside this file builds: those that learn from video."""

NAMES = (
    "dclr",
    "static_dynamic_concepts",
    "controllable_augmentations",
    "const_cl",
    "teg",
)
