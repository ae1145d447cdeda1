"""Options and types of options that several commands share."""

import argparse
import os

from keras_avrep.cli.argument_types import seed

# More would wait for each other in Python.
MOST_THREADS = 16


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def above_zero(text):
    """A number above 0."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def not_negative(text):
    """A whole number, 0 or more."""
    return 0 if text.strip() == "0" else positive(text)


def add_crops(parser):
    """`--crops`, squares that are cut out of each clip and averaged over.

    Args:
        parser: `argparse.ArgumentParser` of a command.
    """
    parser.add_argument(
        "--crops",
        type=int,
        choices=(1, 3, 10),
        default=1,
        help="of a clip: the centre (1), along the longer side (3), or corners and "
        "centre, also mirrored (10)",
    )


def add_seed(parser):
    """`--seed`, from which everything random follows.

    Args:
        parser: `argparse.ArgumentParser` of a command.
    """
    help = "a run can be repeated from it (0)"
    parser.add_argument("--seed", type=seed, default=0, help=help)


def add_threads(parser):
    """`--threads`, those that decode: by default one for each core.

    Args:
        parser: `argparse.ArgumentParser` of a command.
    """
    default = max(2, min(os.cpu_count() or 2, MOST_THREADS))
    parser.add_argument(
        "--threads",
        type=positive,
        default=default,
        help=f"decoding threads ({default})",
    )
