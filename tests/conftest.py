import keras
import pytest


@pytest.fixture(autouse=True)
def float32_policy():
    """The commands choose a precision for the machine; no test inherits it."""
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")
