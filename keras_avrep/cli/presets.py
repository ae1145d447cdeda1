"""List the presets, and which have weights.

keras-avrep presets
"""


def add_arguments(parser):
    pass


def run(args):
    from keras_avrep.cli.progress import say
    from keras_avrep.models import DCLR
    from keras_avrep.models.dclr.dclr_presets import packaged_weights

    for name, preset in DCLR.presets.items():
        weights = "weights" if packaged_weights(name) else "configuration only"
        say(f"{name} ({weights})\n    {preset['description']}")
