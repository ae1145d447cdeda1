"""Photos as scenes of the world `scenes`."""

from collections import Counter
from pathlib import Path

import numpy as np

from keras_avrep.worlds.folder_sources import PICTURE_SUFFIXES, check_picture


def find_photos(folder):
    """The images of a folder by their labels, and why others cannot be used.

    Args:
        folder: path, or `None` for no images.

    Returns:
        Dict from label, the file's name without suffix where that is of one image
        only, to `Path`; and a list of dicts `path`, `reason`.

    Raises:
        ValueError: if there is no such folder, or no image in it can be read.
    """
    if folder is None:
        return {}, []
    if not Path(folder).is_dir():
        raise ValueError(f"`photo_folder` {folder} is not a folder.")
    files = sorted(
        p for p in Path(folder).iterdir() if p.suffix.lower() in PICTURE_SUFFIXES
    )
    reasons = {path: check_picture(path) for path in files}
    rejects = [{"path": str(p), "reason": r} for p, r in reasons.items() if r]
    usable = [path for path, reason in reasons.items() if reason is None]
    if not usable:
        raise ValueError(f"`photo_folder` {folder} holds no images that can be read.")
    stems = Counter(p.stem for p in usable)
    return {p.stem if stems[p.stem] == 1 else p.name: p for p in usable}, rejects


def photo_crop(path, height, width, rng):
    """A random part of an image, float32 `(height, width, 3)` in [0, 1]."""
    from PIL import Image

    with Image.open(path) as image:
        image = image.convert("RGB")
        scale = max(height / image.height, width / image.width) * rng.uniform(1, 1.5)
        image = image.resize(
            (
                max(width, round(image.width * scale)),
                max(height, round(image.height * scale)),
            )
        )
    pixels = np.asarray(image, np.float32) / 255
    top = rng.integers(pixels.shape[0] - height + 1)
    left = rng.integers(pixels.shape[1] - width + 1)
    return pixels[top : top + height, left : left + width]
