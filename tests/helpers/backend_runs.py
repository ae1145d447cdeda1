"""Programs that run once on every backend, side by side."""

import os
import subprocess
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "torch", "jax")
HELPERS = Path(__file__).parent


def run_on_backends(program, folder, *arguments):
    """Run a program on all backends; each gets FOLDER/BACKEND, then the arguments."""
    running = [start(b, program, folder / b, *arguments) for b in BACKENDS]
    endings = [(process.communicate()[1], process.returncode) for process in running]
    for errors, code in endings:
        assert code == 0, errors[-2000:]


def start(backend, program, folder, *arguments, **environment):
    """A process that runs a program on a backend, with more of an environment."""
    folder.mkdir(exist_ok=True)
    given = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HELPERS), given])),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # XLA takes longer to optimise these programs than to run them.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, str(program), str(folder), *map(str, arguments)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
