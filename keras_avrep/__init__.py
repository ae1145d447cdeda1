"""Audio-visual representation learning on Keras 3."""

import importlib

__version__ = "0.1.0"

ROOMS = (
    "backbones",
    "data",
    "evaluation",
    "export",
    "layers",
    "losses",
    "models",
    "report",
    "training",
    "views",
    "worlds",
)


def __getattr__(name):
    # Rooms load when they are first used: importing the package costs nothing.
    if name in ROOMS:
        return importlib.import_module(f"keras_avrep.{name}")
    raise AttributeError(f"module 'keras_avrep' has no attribute {name!r}")


def __dir__():
    return [*globals(), *ROOMS]
