import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
BACKENDS = ("tensorflow", "torch", "jax")


# `zero_grad` of a keras-hub model does not know the backbone's variables.
def run_backend(backend, *command):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(HERE.parent / "helpers"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # XLA takes longer to optimise these programs than to run them.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    results = {}
    for backend in BACKENDS:
        out = folder / f"{backend}.npz"
        run_backend(backend, HERE / "step_program.py", out)
        results[backend] = dict(np.load(out))
    return results


def assert_agree(steps, backend, prefix):
    reference, found = steps["tensorflow"], steps[backend]
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        if name.startswith(prefix):
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(
                found[name], expected, atol=1e-4 * scale, err_msg=name
            )


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_losses_and_gradients_agree(steps, backend):
    assert_agree(steps, backend, ("loss_", "gradient_"))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_weights_twins_and_queues_agree_after_two_steps(steps, backend):
    assert_agree(steps, backend, "trained_")


@pytest.mark.parametrize("backend", BACKENDS)
def test_trains_predicts_and_comes_back(backend, tmp_path):
    out = tmp_path / "report.json"
    run_backend(backend, HERE / "fit_program.py", tmp_path, out)
    report = json.loads(out.read_text())
    losses = report["losses"]
    assert {"loss", "loss_vv", "loss_vs", "loss_vd", "loss_activation"} <= losses.keys()
    assert np.isfinite(list(losses.values())).all()
    assert report["unmoved"] == []
    assert report["valid"] == 8
    features = report["features"]
    assert features["shape"] == [4, 32]
    assert features["finite"]
    assert features["spread"] > 0
    assert report["preset_differs"] == []
    assert report["predict_differs"] == 0
    assert report["checkpoint_head"] == [2, {"note": "x"}]
    assert report["differed_before_load"] > 0
    assert report["checkpoint_differs"] == []
