"""Trainers of localisers on every backend: the same losses, gradients and steps."""

from pathlib import Path

import numpy as np
import pytest
from backend_runs import BACKENDS, run_on_backends

PROGRAM = Path(__file__).with_name("localiser_program.py")
# `tests/helpers/tiny_NAME.py` builds each.
NAMES = ("csol", "ier")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("localisers")
    run_on_backends(PROGRAM, folder, *NAMES)
    return folder


@pytest.fixture(params=NAMES)
def steps(request, written):
    """Arrays of a step of each trainer, by backend, for one system."""
    files = {b: written / b / f"{request.param}.npz" for b in BACKENDS}
    return {backend: dict(np.load(file)) for backend, file in files.items()}


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_losses_gradients_and_weights_agree(steps, backend):
    reference, found = steps["tensorflow"], steps[backend]
    assert found.keys() == reference.keys()
    assert any("_loss_" in name for name in found)
    forgotten = [x for n, x in found.items() if n.endswith("_forgotten")]
    assert [np.count_nonzero(x) for x in forgotten] == [1] * len(forgotten) != []
    # Maps of what is seen and heard, from weights that tell classes apart.
    assert np.ptp(reference["said_class_maps"], axis=-1).max() > 0.01
    for name, expected in reference.items():
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(
            found[name], expected, atol=1e-4 * scale, err_msg=name
        )
