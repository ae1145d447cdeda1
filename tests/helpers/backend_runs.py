"""Programs that run on every backend, as processes of their own."""

import functools
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

BACKENDS = ("tensorflow", "torch", "jax")
HELPERS = Path(__file__).parent
SECONDS = 900  # after which a program has hung


def run_on_backends(program, folder, *arguments):
    """Run a program on all backends; each gets FOLDER/BACKEND, then the arguments."""
    for backend in BACKENDS:
        (folder / backend).mkdir()
    running = [start(b, program, folder / b, *arguments) for b in BACKENDS]
    for process in running:
        process.finish()


def start(backend, program, *arguments, **more):
    """A process that runs a program on a backend, with more in its environment."""
    command = [str(program), *map(str, arguments)]
    environment = {**_environment(backend), **more}
    return Program(_server(backend, tuple(more.items())), command, environment)


def _environment(backend):
    given = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HELPERS), given])),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if backend == "jax":
        # XLA takes longer to optimise these programs than to run them.
        environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
        environment["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"
    return environment


@functools.cache
def _server(backend, more):
    """A socket to a `fork_server` of a backend, which ends with this process.

    One for each environment: a backend reads its own when it is imported.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        subprocess.Popen(
            [sys.executable, str(HELPERS / "fork_server.py"), str(number)],
            env={**_environment(backend), **dict(more)},
            pass_fds=[number],
            stdout=subprocess.DEVNULL,
        )
    return ours


class Program:
    """A program that a server runs; it is read and waited for like a `Popen`."""

    def __init__(self, server, command, environment):
        job = {"command": command, "environment": environment, "folder": os.getcwd()}
        self.stdout, output = _pipe()
        # Unbuffered: `wait` asks whether more has come, and none may be read by then.
        self._status, status = _pipe("rb", 0)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        files = [output, self._errors.fileno(), status]
        # The files go with the first byte; a long rest may take several parts.
        line = f"{json.dumps(job)}\n".encode()
        server.sendall(line[socket.send_fds(server, [line], files) :])
        os.close(output)
        os.close(status)
        self.command = command
        self.pid = int(self._status.readline())

    def kill(self, signal):
        os.kill(self.pid, signal)

    def wait(self):
        """The exit code, negative after a signal."""
        if not select.select([self._status], [], [], SECONDS)[0]:
            raise TimeoutError(f"{self.command} has not ended after {SECONDS} s.")
        return int(self._status.readline())

    def finish(self):
        """What it printed and was not read yet; it must end well."""
        printed, code = self.stdout.read(), self.wait()
        self._errors.seek(0)
        assert code == 0, self._errors.read()[-2000:]
        return printed


def _pipe(*how):
    """A file to read from, opened like this, and the number of one to write to."""
    ours, theirs = os.pipe()
    return os.fdopen(ours, *how), theirs
