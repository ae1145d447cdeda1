"""Every system on a GPU: the numbers of the CPU. Runs only where there is a GPU."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from backend_runs import BACKENDS, start
from tiny_systems import NAMES

HERE = Path(__file__).parent
# `tests/helpers/tiny_NAME.py` builds each, and `system_program.py` runs them.
LOCALISERS = ("csol", "ier")
ON_CPU = {"CUDA_VISIBLE_DEVICES": "-1"}
ON_GPU = {
    # In float32 as it is, not in the 10 bits of mantissa that matrix units like.
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    "NVIDIA_TF32_OVERRIDE": "0",
    # Several processes share the memory.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "0",
}
INSTALLED = [b for b in BACKENDS if importlib.util.find_spec(b) is not None]

pytestmark = pytest.mark.skipif(
    shutil.which("nvidia-smi") is None or "torch" not in INSTALLED,
    reason="needs an NVIDIA GPU, and torch to compare with",
)


def program_of(name):
    localiser = name in LOCALISERS
    return HERE / ("localiser_program.py" if localiser else "system_program.py")


def step_of(folder, name):
    """Arrays of a step that a program wrote."""
    localiser = name in LOCALISERS
    path = folder / f"{name}.npz" if localiser else folder / name / "step.npz"
    return dict(np.load(path))


@pytest.fixture(scope="module", params=[*NAMES, *LOCALISERS])
def written(request, tmp_path_factory):
    """A system, and where it ran on every backend's GPU and on torch's CPU."""
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    cases = {("torch", "cpu"): ON_CPU, **{(b, "gpu"): ON_GPU for b in INSTALLED}}
    running = []
    for (backend, device), more in cases.items():
        out = folder / f"{backend}-{device}"
        out.mkdir()
        running.append(start(backend, program_of(name), out, name, **more))
    for process in running:
        process.finish()
    return name, folder


@pytest.mark.parametrize("backend", INSTALLED)
def test_losses_gradients_and_weights_are_those_of_the_cpu(written, backend):
    name, folder = written
    reference = step_of(folder / "torch-cpu", name)
    found = step_of(folder / f"{backend}-gpu", name)
    assert found.keys() == reference.keys()
    for key, expected in reference.items():
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(found[key], expected, atol=2e-4 * scale, err_msg=key)


@pytest.mark.parametrize("backend", INSTALLED)
def test_the_device_policy_knows_the_gpu(backend, tmp_path):
    program = tmp_path / "policy.py"
    program.write_text(
        "import sys, pathlib\n"
        "from keras_avrep.training import choose_device_policy\n"
        "policy = choose_device_policy()\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "(folder / 'device').write_text(policy.device)\n"
    )
    (tmp_path / backend).mkdir()
    start(backend, program, tmp_path / backend, **ON_GPU).finish()
    assert (tmp_path / backend / "device").read_text() == "gpu"
