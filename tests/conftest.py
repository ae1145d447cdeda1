import os

# As users have it: the package sets this, where it is imported before Keras.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import pytest

from keras_avrep.cli.doctor import has_nvidia_driver

# XLA takes longer to optimise small programs than to run them; read at its first use.
UNOPTIMISED = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes",
)
# On a GPU the steps are those that users run.
if not has_nvidia_driver():
    os.environ.setdefault("XLA_FLAGS", " ".join(UNOPTIMISED))

# Two processes take a file at a time: these last longest, so they must not be last.
SLOWEST_FILES = (
    "training/backends_test.py",
    "notebooks/concepts_regions_order_steps_test.py",
    "cli/commands_test.py",
    "cli/systems_test.py",
    "training/localiser_backends_test.py",
    "training/phases_test.py",
    "tests/other_backends_test.py",
    "notebooks/pretrain_and_ship_test.py",
    "training/checkpoint_test.py",
    "notebooks/find_what_sounds_test.py",
    "models/ier_test.py",
    "models/csol_test.py",
    "cli/pretrain_localiser_test.py",
    "models/const_cl_test.py",
    "models/controllable_augmentations_test.py",
    "export/formats_test.py",
    "cli/interrupt_test.py",
)


def pytest_collection_modifyitems(items):
    def place(item):
        path = item.path.as_posix()
        return next(
            (i for i, name in enumerate(SLOWEST_FILES) if path.endswith(f"/{name}")),
            len(SLOWEST_FILES),
        )

    items.sort(key=place)


@pytest.fixture(autouse=True)
def float32_policy():
    """The commands choose a precision for the machine; no test inherits it."""
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")
