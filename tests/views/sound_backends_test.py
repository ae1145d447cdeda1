"""Sound gives the same numbers on every backend."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = pathlib.Path(__file__).with_name("sound_program.py")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("sound"), {}
    for backend in ("tensorflow", "torch", "jax"):
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # XLA takes longer to optimise these programs than to run them.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        }
        path = folder / f"{backend}.npz"
        command = [sys.executable, str(PROGRAM), str(path)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found[backend] = dict(np.load(path))
    return found


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_backends_agree(arrays, backend):
    reference, found = arrays["tensorflow"], arrays[backend]
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        if not name.startswith("mixture_error"):
            # Spectrograms are in decibels, down to where float32 ends.
            atol = 5e-3 if name in ("csol", "ssw60", "mov") else 1e-4
            np.testing.assert_allclose(found[name], expected, atol=atol, err_msg=name)


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_mixtures_are_on_record(arrays, backend):
    assert arrays[backend]["mixture_error"] < 1e-5
    assert arrays[backend]["silence_stays"] == 1
    assert arrays[backend]["mixture_peak_is_kept"]
    assert arrays[backend]["features"].std() > 0
