"""Instruments that are drawn and synthesised."""

import numpy as np

from keras_avrep.worlds.instruments import choose_instruments
from keras_avrep.worlds.looks import draw_look
from keras_avrep.worlds.textures import TEXTURES, texture_image
from keras_avrep.worlds.timbres import synthesise

# Corners of silhouettes reach a little beyond their radius.
REACH = 1.2


class DrawnSources:
    """Sight and sound of the instruments of `choose_instruments`.

    Args:
        num_classes: int.
        look_alike: float in [0, 1].
        sound_alike: float in [0, 1].
        scene_contrast: float. Of the background texture.
    """

    def __init__(self, num_classes, look_alike, sound_alike, scene_contrast):
        chosen = choose_instruments(num_classes, look_alike, sound_alike)
        self.instruments = {i.name: i for i in chosen}
        self.names = list(self.instruments)
        self.scene_contrast = scene_contrast

    def draw_scene(self, rng):
        """What is behind one or several objects."""
        families = list(TEXTURES)
        family = families[rng.integers(len(families))]
        return {"family": family, "seed": int(rng.integers(2**31))}

    def paint_scene(self, scene, height, width):
        """The background, float `(height, width, 3)` in [0, 1]."""
        rng = np.random.default_rng(scene["seed"])
        size = max(height, width)
        image = texture_image(scene["family"], height, width, size, rng)
        return 0.5 + (image - 0.5) * self.scene_contrast

    def draw_look(self, name, split, radii, rng):
        """Everything about how an object looks and where it is in its cell."""
        look = self.instruments[name].look
        brightness = rng.uniform(0.85, 1.1)
        tints = rng.normal(0, 0.03, 6)
        body = np.clip(np.array(look.body) * brightness + tints[:3], 0, 1)
        accent = np.clip(np.array(look.accent) * brightness + tints[3:], 0, 1)
        return {
            "radius": float(rng.uniform(*radii)),
            "place": rng.uniform(0, 1, 2).tolist(),
            "angle": float(rng.uniform(-0.35, 0.35)),
            "mirrored": bool(rng.random() < 0.5),
            "body": body.tolist(),
            "accent": accent.tolist(),
        }

    def paint(self, name, look, height, width, growth=1.0):
        """Coverage `(height, width)` and colours `(height, width, 3)` in a cell."""
        side = min(height, width)
        radius = look["radius"] * side
        # Room that the centre has, so that the object stays within its cell.
        margin = np.minimum(REACH * radius, np.array([height, width]) / 2)
        room = np.array([height, width]) - 2 * margin
        center = margin + room * np.array(look["place"]) - 0.5
        radius = radius * growth
        y, x = np.mgrid[:height, :width]
        x, y = (x - center[1]) / radius, (y - center[0]) / radius
        c, s = np.cos(look["angle"]), np.sin(look["angle"])
        along, across = c * x + s * y, c * y - s * x
        if look["mirrored"]:
            along = -along
        return draw_look(
            self.instruments[name].look,
            along,
            across,
            1.5 / radius,
            look["body"],
            look["accent"],
        )

    def draw_sound(self, name, split, rng):
        """What is played."""
        return {"seed": int(rng.integers(2**31))}

    def sound(self, name, draw, num_samples, sample_rate):
        """The sound, float `(num_samples,)`."""
        rng = np.random.default_rng(draw["seed"])
        return synthesise(self.instruments[name].timbre, num_samples, sample_rate, rng)
