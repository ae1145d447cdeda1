"""Which state of the code a result comes from."""

import os
import subprocess


def commit():
    """Short name of the commit, with `+` if code has changed since.

    Results and the tables made of them do not count: a measurement writes them itself.

    A copy without its history is told by the environment, as `COMMIT`.
    """
    if "COMMIT" in os.environ:
        return os.environ["COMMIT"]
    name = _git("rev-parse", "--short", "HEAD")
    written = (":(top,exclude)benchmarks/results", ":(top,exclude)*.md")
    changed = _git("status", "--porcelain", "--untracked-files=no", ":/", *written)
    return f"{name}+" if name and changed else name


def _git(*arguments):
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    return done.stdout.strip() or None
