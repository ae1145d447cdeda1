"""Which state of the code a result comes from."""

import os
import subprocess


def commit():
    """Short name of the commit, with `+` if files have changed since.

    A copy without its history is told by the environment, as `COMMIT`.
    """
    if "COMMIT" in os.environ:
        return os.environ["COMMIT"]
    name = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{name}+" if name and changed else name


def _git(*arguments):
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    return done.stdout.strip() or None
