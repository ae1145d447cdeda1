"""What learns on top of a backbone, on every backend: the same numbers."""

from pathlib import Path

import numpy as np
import pytest
from backend_runs import BACKENDS, run_on_backends

PROGRAM = Path(__file__).with_name("downstream_program.py")
NAMES = ("classifier", "localiser", "tracker", "segmenter")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("downstream")
    run_on_backends(PROGRAM, folder, *NAMES)
    return folder


@pytest.fixture(params=NAMES)
def found(request, written):
    """Arrays of two steps, by backend, for one model."""
    files = {b: written / b / f"{request.param}.npz" for b in BACKENDS}
    return {backend: dict(np.load(file)) for backend, file in files.items()}


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_steps_agree(found, backend):
    expected = found["tensorflow"]
    assert found[backend].keys() == expected.keys()
    for name, array in expected.items():
        scale = max(1.0, np.abs(array).max())
        np.testing.assert_allclose(
            found[backend][name], array, atol=1e-4 * scale, err_msg=name
        )


@pytest.mark.parametrize("backend", BACKENDS)
def test_steps_learn_and_a_preset_brings_them_back(found, backend):
    arrays = found[backend]
    assert np.isfinite(arrays["losses"]).all()
    assert any(name.startswith("trained_") for name in arrays)
    assert arrays["unmoved"] == 0
    assert arrays["lost"] == 0
