"""Whether TensorFlow computes with oneDNN, which its kernels are chosen by."""

import os
import platform


def has_onednn() -> bool:
    """Whether TensorFlow was told to use oneDNN; this package does, if it is first."""
    told = os.environ.get("TF_ENABLE_ONEDNN_OPTS") in ("1", "true")
    return told and platform.machine() in ("x86_64", "AMD64")
