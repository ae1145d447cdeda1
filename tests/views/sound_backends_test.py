"""Sound gives the same numbers on every backend."""

import pathlib

import numpy as np
import pytest
from backend_runs import BACKENDS, run_on_backends

PROGRAM = pathlib.Path(__file__).with_name("sound_program.py")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    run_on_backends(PROGRAM, folder)
    return {b: dict(np.load(folder / b / "sound.npz")) for b in BACKENDS}


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_backends_agree(arrays, backend):
    reference, found = arrays["tensorflow"], arrays[backend]
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        if not name.startswith("mixture_error"):
            # Spectrograms are in decibels, down to where float32 ends.
            atol = 5e-3 if name in ("csol", "ssw60", "mov") else 1e-4
            np.testing.assert_allclose(found[name], expected, atol=atol, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mixtures_are_on_record(arrays, backend):
    assert arrays[backend]["mixture_error"] < 1e-5
    assert arrays[backend]["silence_stays"] == 1
    assert arrays[backend]["mixture_peak_is_kept"]
    assert arrays[backend]["features"].std() > 0
