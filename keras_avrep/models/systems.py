"""All systems, by what they learn from, and which of them a preset belongs to."""

from keras_avrep.models.const_cl import ConSTCL
from keras_avrep.models.controllable_augmentations import ControllableAugmentations
from keras_avrep.models.csol import CSOL
from keras_avrep.models.dclr import DCLR
from keras_avrep.models.ier import InterferenceEraser
from keras_avrep.models.static_dynamic_concepts import StaticDynamicConcepts
from keras_avrep.models.teg import TeG

# Of video without sound.
SYSTEMS = (
    DCLR,
    StaticDynamicConcepts,
    ControllableAugmentations,
    ConSTCL,
    TeG,
)
# Of what sounds in videos.
LOCALISERS = (CSOL, InterferenceEraser)


def system_of(preset):
    """The class that has a built-in preset, or `None`.

    Args:
        preset: string.

    Returns:
        A `PretrainingTask` or `LocalisationTask` class.

    Example:
    ```python
    system_of("dclr_tiny")  # DCLR
    ```
    """
    return next((system for system in all_systems() if preset in system.presets), None)


def system_named(name):
    """The system of a name.

    Args:
        name: string, its class or folder in any case, such as `"ConSTCL"`.

    Returns:
        The class, or `None` if there is none.

    Example:
    ```python
    keras_avrep.models.system_named("dclr")  # keras_avrep.models.DCLR
    ```
    """
    named = {system.__module__.split(".")[-2]: system for system in all_systems()}
    named |= {system.__name__.lower(): system for system in all_systems()}
    return named.get(name.lower().replace("_", "").replace("-", ""))


def preset_names():
    """The names of all built-in presets.

    Returns:
        List of strings; of each system the smallest first.

    Example:
    ```python
    "dclr_tiny" in keras_avrep.models.preset_names()  # True
    ```
    """
    return [name for system in all_systems() for name in system.presets]


def all_systems():
    """The classes of all systems.

    Returns:
        Tuple of those that learn from video, then those that find what sounds.

    Example:
    ```python
    [system.__name__ for system in keras_avrep.models.all_systems()][0]  # "DCLR"
    ```
    """
    return (*SYSTEMS, *LOCALISERS)
