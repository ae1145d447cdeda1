"""The systems that learn from video, and which of them a preset belongs to."""

from keras_avrep.models.const_cl import ConSTCL
from keras_avrep.models.controllable_augmentations import ControllableAugmentations
from keras_avrep.models.dclr import DCLR
from keras_avrep.models.static_dynamic_concepts import StaticDynamicConcepts
from keras_avrep.models.teg import TeG

SYSTEMS = (
    DCLR,
    StaticDynamicConcepts,
    ControllableAugmentations,
    ConSTCL,
    TeG,
)


def system_of(preset):
    """The class that has a built-in preset, or `None`.

    Args:
        preset: string.

    Returns:
        A `PretrainingTask` class.

    Example:
    ```python
    system_of("dclr_tiny")  # DCLR
    ```
    """
    return next((system for system in SYSTEMS if preset in system.presets), None)


def system_named(name):
    """The system whose class has a name, upper and lower case alike, or `None`."""
    named = {system.__name__.lower(): system for system in SYSTEMS}
    return named.get(name.lower().replace("_", "").replace("-", ""))


def preset_names():
    """The names of all built-in presets."""
    return [name for system in SYSTEMS for name in system.presets]
