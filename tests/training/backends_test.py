import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent


def run_backend(backend, *command):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    results = {}
    for backend in ("tensorflow", "torch"):
        out = folder / f"{backend}.npz"
        done = run_backend(backend, HERE / "step_program.py", out)
        assert done.returncode == 0, done.stderr[-2000:]
        results[backend] = dict(np.load(out))
    return results


def test_losses_and_gradients_agree(steps):
    reference = steps["tensorflow"]
    assert steps["torch"].keys() == reference.keys()
    for name, expected in reference.items():
        scale = max(1.0, np.abs(expected).max())
        found = steps["torch"][name]
        np.testing.assert_allclose(found, expected, atol=1e-4 * scale, err_msg=name)
