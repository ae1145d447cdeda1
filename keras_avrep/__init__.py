"""Audio-visual representation learning on Keras 3."""

import importlib
import os
import sys

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

# TensorFlow leaves its fast convolutions off on CPUs without AVX512, where they double
# the speed, too. It reads this once, as it is imported; `0` keeps them off.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name):
    # Rooms load when they are first used: importing the package costs nothing.
    if name in ROOMS:
        return importlib.import_module(f"keras_avrep.{name}")
    raise AttributeError(f"module 'keras_avrep' has no attribute {name!r}")


def __dir__():
    return [*globals(), *ROOMS]
