"""`--set NAME=VALUE` of `pretrain`: an argument of a system, its views or schedule."""

import argparse
import inspect
import json

VIEWS = "views."
SCHEDULE = "schedule."
# What is an argument of the command already, for every system, for those that learn
# from video and for those that find what sounds.
OWN_OPTIONS = {"seed": "--seed", "loss_weights": "--loss-weights"}
OWN_VIDEO_OPTIONS = {"views.size": "--view-size"}
OWN_SOUND_OPTIONS = {
    "num_classes": "--num-classes",
    "schedule.solo_epochs": "--solo-epochs",
    "schedule.mixed_epochs": "--mixed-epochs",
    "schedule.learning_rate": "--learning-rate",
    "schedule.mismatch_grid": "--composites",
    "schedule.labels": "--use-labels",
}
PYTHON_VALUES = {"True": True, "False": False, "None": None}
# Layers, what a run itself gives, and what the clips of a preset go with.
NOT_VALUES = (
    *("self", "backbone", "views", "preprocessor", "seed", "task", "solo", "mixed"),
    *("audio_backbone", "spectrogram", "av_map", "sounding_mask", "duration"),
)


def add_system_arguments(group):
    group.add_argument(
        "--set",
        type=name_and_value,
        action="append",
        metavar="NAME=VALUE",
        help="an argument of the system, of its views by views.NAME, or, of systems "
        "that find what sounds, of what is learned when by schedule.NAME; the value is "
        "JSON or text, for example mine_after=500 or views.align_static=true; repeat "
        "for more",
    )


def name_and_value(text):
    """`mine=["rgb"]` as a name and what JSON makes of the value, or its text.

    True, False and None are written as in Python, too.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not like mine_after=500")
    if value in PYTHON_VALUES:
        return name.strip(), PYTHON_VALUES[value]
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


def system_changes(system, pairs):
    """Constructor arguments from the names and values of `--set`.

    Args:
        system: class of a system.
        pairs: list of names and values, or `None`.

    Returns:
        Dict of arguments, those of the views in a dict under `"views"`, those of
        the schedule in one under `"schedule"`.

    Raises:
        ValueError: if there is no argument of a name, or a value is of another kind
            than its default.
    """
    known, changes, parts = defaults(system), {}, {VIEWS: {}, SCHEDULE: {}}
    own = own_options(system)
    for name, value in pairs or ():
        if name in own:
            raise ValueError(f"--set {name} has an option of its own: use {own[name]}.")
        if name not in known:
            raise ValueError(
                f"--set {name}: {system.__name__} has no such argument; there are "
                f"{', '.join(known)}."
            )
        check_kind(name, value, known[name])
        prefix = next((p for p in parts if name.startswith(p)), None)
        found = changes if prefix is None else parts[prefix]
        found[name.removeprefix(prefix or "")] = value
    return {**changes, **{p.rstrip("."): v for p, v in parts.items() if v}}


def own_options(system):
    """What has an option of its own for a system, by name."""
    finds_sounds = hasattr(system, "phases_function")
    return OWN_OPTIONS | (OWN_SOUND_OPTIONS if finds_sounds else OWN_VIDEO_OPTIONS)


def defaults(system):
    """Default values by name, those of views and schedule with their prefix."""
    found = {}
    sources = {"": system.__init__, VIEWS: system.views_cls.__init__}
    if hasattr(system, "phases_function"):
        sources[SCHEDULE] = system.phases_function
    for prefix, function in sources.items():
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD or name in NOT_VALUES:
                continue
            if prefix + name not in {
                *OWN_OPTIONS,
                *OWN_VIDEO_OPTIONS,
                *OWN_SOUND_OPTIONS,
            }:
                found[prefix + name] = parameter.default
    return found


def check_kind(name, value, default):
    """Raise if a value is of another kind than the default, where there is one."""
    kinds = {
        bool: ("true or false", bool),
        int: ("a whole number", int),
        float: ("a number", (int, float)),
        str: ("text", str),
        tuple: ("a list in JSON", list),
        list: ("a list in JSON", list),
    }
    if value is None or type(default) not in kinds:
        return
    kind, types = kinds[type(default)]
    fits = isinstance(value, types)
    # True is a number to Python.
    if isinstance(value, bool) and not isinstance(default, bool):
        fits = False
    if not fits:
        raise ValueError(
            f"--set {name}={json.dumps(value)} is not {kind}, as its default "
            f"{json.dumps(default)} is."
        )
