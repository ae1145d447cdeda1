"""Tests of layers, losses, views, metrics and what else is small on another backend.

On JAX, which compiles every operation of every shape by itself, that takes five times
as long as on the other two: `make test-jax`.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    "kernels",
    "layers",
    "losses",
    "views",
    "evaluation/localization_metrics_test.py",
    "evaluation/interference_metrics_test.py",
    "models/concept_terms_test.py",
    "models/const_cl_local_test.py",
    "training/recalibrate_batch_norm_test.py",
)
# It runs all backends itself.
LEFT_OUT = HERE / "views" / "sound_backends_test.py"


def test_kernels_layers_losses_views_and_metrics_on_torch():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(str(HERE / part) for part in PARTS), f"--ignore={LEFT_OUT}"],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
