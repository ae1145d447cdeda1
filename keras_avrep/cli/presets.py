"""List the presets, and which have weights.

keras-avrep presets
"""


def add_arguments(parser):
    pass


def run(args):
    from keras_avrep.cli.progress import say
    from keras_avrep.models import all_systems

    for system in all_systems():
        say(system.__name__)
        for name, preset in system.presets.items():
            kind = what_weights(system.packaged_weights(name))
            say(f"  {name} ({kind})\n    {preset['description']}")


def what_weights(folder):
    """What a packaged preset has weights of, in words.

    Args:
        folder: `Path` of the preset, or `None`.
    """
    if folder is None:
        return "configuration only"
    whole = (folder / "task.weights.h5").exists()
    return "weights" if whole else "weights of the backbone alone"
