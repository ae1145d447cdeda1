"""Moments in which coloured squares sound, as real files."""

import numpy as np
from PIL import Image

from keras_avrep.data import MomentRecord

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
PLACES = {
    "top left": (0.0, 0.0, 0.5, 0.5),
    "top right": (0.0, 0.5, 0.5, 1.0),
    "bottom right": (0.5, 0.5, 1.0, 1.0),
}


def write_moment(folder, name, placed, silent=(), unseen=(), loud=True, split="test"):
    """One moment.

    `placed` is a dict from place to colour; `silent` and `unseen` are colours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.zeros((64, 64, 3), np.uint8)
    for place, colour in placed.items():
        y1, x1, y2, x2 = (round(64 * x) for x in PLACES[place])
        picture[y1:y2, x1:x2] = COLOURS[colour]
    Image.fromarray(picture).save(folder / f"{name}.png")
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.save(folder / f"{name}.npy", (0.5 * loud * tone).astype(np.float32))
    heard = [c for c in placed.values() if c not in silent]
    return MomentRecord(
        moment_id=name,
        video_id=name,
        sound=str(folder / f"{name}.npy"),
        pictures=(str(folder / f"{name}.png"),),
        labels={"class": "+".join(sorted(heard))},
        split=split,
        boxes=tuple(PLACES[place] for place in placed),
        box_labels=tuple(placed.values()),
        box_sounding=tuple(c not in silent for c in placed.values()),
        levels={c: -5.0 * i for i, c in enumerate([*heard, *unseen])},
    )


def write_solos(folder, split="train"):
    """Each colour twice, at different places."""
    return [
        write_moment(folder, f"{colour}-{i}", {place: colour}, split=split)
        for colour in COLOURS
        for i, place in enumerate(["top left", "bottom right"])
    ]
