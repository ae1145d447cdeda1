"""Every system on every backend: the same numbers, and all that a user does."""

import json
import pathlib

import numpy as np
import pytest
from backend_runs import BACKENDS, run_on_backends
from tiny_systems import NAMES

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def written(request, tmp_path_factory):
    """Where the backends, side by side, wrote about all systems that are tested."""
    folder = tmp_path_factory.mktemp("backends")
    asked = {
        item.callspec.params.get("results")
        for item in request.session.items
        if hasattr(item, "callspec")
    }
    names = [name for name in NAMES if name in asked]
    run_on_backends(HERE / "system_program.py", folder, *names)
    return folder


@pytest.fixture(scope="module", params=NAMES)
def results(request, written):
    """Arrays of a step and the report of a fit, by backend, for one system."""
    found = {}
    for backend in BACKENDS:
        folder = written / backend / request.param
        report = json.loads((folder / "report.json").read_text())
        found[backend] = (dict(np.load(folder / "step.npz")), report)
    return found


def assert_agree(results, backend, prefix):
    reference, found = results["tensorflow"][0], results[backend][0]
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        if name.startswith(prefix):
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(
                found[name], expected, atol=1e-4 * scale, err_msg=name
            )


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_losses_and_gradients_agree(results, backend):
    assert_agree(results, backend, ("loss_", "gradient_", "statistic_"))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_all_weights_agree_after_two_steps(results, backend):
    assert_agree(results, backend, "trained_")


@pytest.mark.parametrize("backend", BACKENDS)
def test_trains_predicts_and_comes_back(results, backend):
    report = results[backend][1]
    assert {f"loss_{t}" for t in report["terms"]} < report["losses"].keys()
    assert np.isfinite(list(report["losses"].values())).all()
    # Every system without a queue tells its spread with each step.
    assert {*report["statistics"]} < report["losses"].keys()
    assert ("embedding_std" in report["statistics"]) == (report["system"] != "DCLR")
    assert report["unmoved"] == []
    assert report["batches_seen"] == 2
    assert report["views"] == report["expected_views"]
    kinds = {"evaluated": "StaticDynamicConcepts", "warmed": "DCLR"}
    for part, system in kinds.items():
        assert (part in report) == (report["system"] == system)
    if "evaluated" in report:
        first, second = report["evaluated"]["losses"]
        assert first.keys() == report["losses"].keys()
        assert np.isfinite(list(first.values())).all()
        assert first == second
        assert report["evaluated"]["changed"] == []
    if "warmed" in report:
        # A key of each of four videos.
        assert report["warmed"] == {"counts": [4, 1], "moved": []}
    features = report["features"]
    assert features["shape"] == features["expected"]
    assert features["finite"]
    assert features["spread"] > 0
    assert report["preset_differs"] == []
    assert report["predict_differs"] == 0
    assert report["checkpoint_head"] == [2, {"note": "x"}]
    assert report["differed_before_load"] > 0
    assert report["checkpoint_differs"] == []
