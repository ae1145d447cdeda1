"""Imports a backend and the package once, then forks for every program it is given.

Argument: the number of a socket. Each line from it is a program's job as JSON, with
three files: what it prints, its errors, and where its process and exit code are told.
Importing takes longer than most of the programs that tests run on all backends.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import sys
import traceback

# No operation may run before a fork: those have threads, which a fork loses.
IMPORTED = ("cli.main", "cli.pretrain", "data", "evaluation", "models", "training")


def serve(channel):
    for name in IMPORTED:
        importlib.import_module(f"keras_avrep.{name}")
    # Nobody waits for those that wait for the programs.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(channel, 1 << 16, 3)
        if not message:
            return
        while not message.endswith(b"\n"):
            message += channel.recv(1 << 16)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return start(json.loads(message), *files)
        for file in files:
            os.close(file)


def start(job, output, errors, status):
    """Fork again: the child runs the program, the parent tells what becomes of it."""
    child = os.fork()
    if child == 0:
        os.close(status)
        return run(job, output, errors)
    for file in (output, errors):
        os.close(file)
    os.write(status, f"{child}\n".encode())
    _, code = os.waitpid(child, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())
    os._exit(0)


def run(job, output, errors):
    for file, standard, name in ((output, 1, "stdout"), (errors, 2, "stderr")):
        os.dup2(file, standard)
        os.close(file)
        # The server's own stream takes its file for what it was at first.
        setattr(sys, name, os.fdopen(standard, "w", closefd=False))
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    program, *_ = sys.argv = job["command"]
    # As of a program that is started by itself.
    sys.path[0] = os.path.dirname(program)
    code = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except BaseException:
        traceback.print_exc()
        code = 1
    for file in (sys.stdout, sys.stderr):
        file.flush()
    # Taking down all that has been imported takes seconds.
    os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
