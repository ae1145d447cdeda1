"""Pickles of arrays, read without running what they may hold."""

import io
import os
import pickle
from pathlib import Path

import numpy as np

from keras_avrep.data.media import MediaError

# What numpy arrays, lists, dicts, texts and numbers are pickled with.
NUMPY_NAMES = {
    ("multiarray", "_reconstruct"),
    ("multiarray", "scalar"),
    ("numeric", "_frombuffer"),
}


def read_array_pickle(path: str | os.PathLike):
    """Read a pickle of numpy arrays, lists, dicts, texts and numbers.

    Pickles of datasets come from strangers and can run any code when loaded the
    usual way. This refuses whatever is not in the list above.

    Args:
        path: the file.

    Returns:
        What was pickled.

    Raises:
        MediaError: if the file is missing, damaged, or holds anything else.

    Example:
    ```python
    log_mel = read_array_pickle("audio_frames/x_0_1000/000.pkl")
    ```
    """
    try:
        content = Path(path).read_bytes()
        return _ArrayUnpickler(io.BytesIO(content)).load()
    except pickle.UnpicklingError as error:
        raise MediaError(f"{path}: is no pickle of arrays ({error}).") from None
    except Exception as error:  # a damaged pickle may raise nearly anything
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise MediaError(f"{path}: cannot be read ({reason}).") from None


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):
            return _latin1_bytes
        package, _, part = module.rpartition(".")
        if package in ("numpy.core", "numpy._core") and (part, name) in NUMPY_NAMES:
            return super().find_class(f"numpy._core.{part}", name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _latin1_bytes(text, encoding):
    """How protocol 2 writes bytes."""
    return text.encode(encoding if encoding == "latin1" else "ascii")
