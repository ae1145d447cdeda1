"""Eleven instruments, by the names of the MUSIC dataset: how they look and sound.

The timbres are caricatures: register, spectrum, envelope, noise and vibrato are
taken from what sets the real instruments apart, not from recordings.
"""

from dataclasses import dataclass

from keras_avrep.worlds.looks import LOOKS, Look, blend_looks
from keras_avrep.worlds.timbres import Timbre, blend_timbres

TIMBRES = {
    "accordion": Timbre(
        *(220, 500, -4), boost=8, formant=1800, tremolo=0.35, rate=9, attack=0.05
    ),
    "acoustic_guitar": Timbre(
        *(110, 260, -7), decay=5, attack=0.004, notes=5, noise=0.1, noise_centre=400
    ),
    "cello": Timbre(
        *(70, 150, -3), boost=10, formant=450, vibrato=25, attack=0.08, noise=0.05
    ),
    "clarinet": Timbre(*(160, 400, -5), even=0.05, boost=6, formant=1300),
    "erhu": Timbre(
        *(260, 480, -2), boost=14, formant=2400, vibrato=60, rate=7, attack=0.06
    ),
    "flute": Timbre(
        *(650, 1500, -18), vibrato=15, tremolo=0.2, noise=0.25, noise_centre=3200
    ),
    "saxophone": Timbre(
        *(140, 330, -1), boost=14, formant=900, noise=0.15, noise_centre=1500
    ),
    "trumpet": Timbre(*(260, 620, 1), boost=12, formant=1500, attack=0.02),
    "tuba": Timbre(*(45, 95, -9), boost=6, formant=200, attack=0.06, notes=2),
    "violin": Timbre(
        *(420, 1000, -5), boost=8, formant=3000, vibrato=35, rate=6, attack=0.05
    ),
    "xylophone": Timbre(
        *(900, 2000, -10), stretch=0.9, decay=14, attack=0.002, notes=8, noise=0.1
    ),
}
NAMES = tuple(TIMBRES)


@dataclass(frozen=True)
class Instrument:
    """A class of the world: its name, how it sounds and how it looks."""

    name: str
    timbre: Timbre
    look: Look


def choose_instruments(num_classes, look_alike=0.0, sound_alike=0.0):
    """The first instruments in alphabetical order, alike if wanted.

    Instruments 1 and 2, 3 and 4 and so on become look-alikes; 2 and 3, 4 and 5
    become sound-alikes: what looks alike still sounds differently, and the other
    way round.

    Args:
        num_classes: int, 2 to 11.
        look_alike: float in [0, 1]. How far the second of a pair takes on the
            look of the first; at 1 they look the same. Defaults to 0.
        sound_alike: float in [0, 1]. The same for sounds. Defaults to 0.

    Returns:
        List of `Instrument`.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
    ```python
    [i.name for i in choose_instruments(3)]  # accordion, acoustic_guitar, cello
    ```
    """
    if not 2 <= num_classes <= len(NAMES):
        raise ValueError(
            f"`num_classes` is {num_classes}; give a number from 2 to {len(NAMES)}."
        )
    for argument, value in {
        "look_alike": look_alike,
        "sound_alike": sound_alike,
    }.items():
        if not 0 <= value <= 1:
            raise ValueError(f"`{argument}` is {value}; give a number from 0 to 1.")
    names = NAMES[:num_classes]
    looks = [LOOKS[name] for name in names]
    timbres = [TIMBRES[name] for name in names]
    for second in range(1, num_classes, 2):
        looks[second] = blend_looks(looks[second], looks[second - 1], look_alike)
    for second in range(2, num_classes, 2):
        timbres[second] = blend_timbres(
            timbres[second], timbres[second - 1], sound_alike
        )
    return [Instrument(*fields) for fields in zip(names, timbres, looks, strict=True)]
