"""`keras-avrep COMMAND`: one module for each command."""

import argparse
import importlib
import logging
import os
import sys

COMMANDS = (
    "render",
    "scan",
    "prepare",
    "pretrain",
    "evaluate",
    "finetune",
    "classify",
    "embed",
    "localize",
    "export",
    "report",
    "demo",
    "presets",
    "convert",
    "doctor",
)
# Commands that need no model, so no Keras.
LIGHT = ("render", "scan", "prepare", "report")
INTERRUPTED = 130
# What a shell says of a program that wrote to nobody: 128 and the signal's number.
NOBODY_READS = 141


def main(argv=None) -> int:
    """Run a command; returns its exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The loader's library warns where JAX is not installed; nobody needs it there.
    logging.getLogger("absl").setLevel(logging.ERROR)
    args = build_parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be in the terminal's encoding.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if args.command not in LIGHT:
            import_keras_quietly()
        return args.execute(args) or 0
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough, as `head` has; Python would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NOBODY_READS
    except Exception as error:
        if args.traceback:
            raise
        print(f"keras-avrep {args.command}: {_sentence(error)}", file=sys.stderr)
        return 2


def run():
    """Entry point of the `keras-avrep` script."""
    sys.exit(main())


def import_keras_quietly():
    """Import Keras without the lines that TensorFlow's loader writes to stderr."""
    silence = os.open(os.devnull, os.O_WRONLY)
    stderr = os.dup(2)
    sys.stderr.flush()
    os.dup2(silence, 2)
    try:
        # Every system is one of KerasHub's models, and that brings TensorFlow along
        # on any backend.
        importlib.import_module("keras_hub")
        # Advice on retracing is for those who write models, not who use them.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(silence)


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    parser = _Parser(
        prog="keras-avrep",
        description="Learn from videos without labels, see what was learned, ship it.",
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )
    for name in COMMANDS:
        module = importlib.import_module(f"keras_avrep.cli.{name}")
        command = commands.add_parser(
            name,
            help=module.__doc__.splitlines()[0],
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument(
            "--traceback", action="store_true", help="show where an error came from"
        )
        command.set_defaults(execute=module.run)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _sentence(error):
    known = (ValueError, OSError, RuntimeError, ImportError)
    lines = [line for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].startswith("Exception encountered when calling"):
        # Keras says where first, and puts what into bold face.
        lines = [lines[1].replace("\x1b[1m", "").replace("\x1b[0m", "")]
    text = lines[0].strip() if lines else ""
    if isinstance(error, known) and text:
        return text
    return f"{type(error).__name__}: {text} (run again with --traceback to see where)"
