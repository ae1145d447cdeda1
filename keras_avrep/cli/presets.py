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
            weights = system.packaged_weights(name)
            kind = "weights" if weights else "configuration only"
            say(f"  {name} ({kind})\n    {preset['description']}")
