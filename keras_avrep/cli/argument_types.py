"""Types of options: what they take, said in one sentence where it is something else."""

import argparse
import math
from pathlib import Path

# As much as NumPy, and with it Keras, takes.
LARGEST_SEED = 2**32 - 1


def finite(text):
    """A number that is neither infinite nor none at all."""
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number


def share(text):
    """A number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number


def seed(text):
    """A whole number that random numbers can begin from."""
    number = int(text)
    if not 0 <= number <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to {LARGEST_SEED}")
    return number


def loss_weights(text):
    """`vv=1,vd=0.5` as a dict."""
    try:
        pairs = [part.split("=") for part in text.split(",")]
        weights = {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like vv=1,vs=0.5") from None
    for name, weight in weights.items():
        if not math.isfinite(weight):
            raise argparse.ArgumentTypeError(f"{name}={weight} is not a finite number")
    return weights


def output_folder(text):
    """Path of a folder that is there or can be made."""
    path = Path(text)
    there = next((p for p in (path, *path.parents) if p.exists()), None)
    if there is not None and not there.is_dir():
        raise argparse.ArgumentTypeError(f"{there} is a file; give a folder")
    return text
