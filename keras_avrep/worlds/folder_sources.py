"""Classes that are folders of real pictures and real recordings."""

from pathlib import Path

import numpy as np

from keras_avrep.data.audio import read_waveform
from keras_avrep.data.media import MediaError

PICTURE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}
RECORDING_SUFFIXES = {
    *(".aac", ".flac", ".m4a", ".mkv", ".mov", ".mp3", ".mp4", ".ogg", ".opus"),
    *(".wav", ".webm"),
}
# A part of a recording that is quieter than this (-50 dBFS) counts as a pause.
PAUSE_RMS = 10 ** (-50 / 20)


class FolderSources:
    """Sight and sound from `pictures/CLASS/*.jpg` and `recordings/CLASS/*.wav`.

    The classes are the sub-folders that both have. The files of a class are
    divided among the splits, so no picture and no recording is in two.

    Args:
        pictures: folder with a sub-folder of pictures for every class.
        recordings: folder with a sub-folder of sound files for every class.
        splits: names of the splits.
        seed: int. Of the division.
        num_classes: int or `None`. The first classes in alphabetical order; all
            if `None`.

    Raises:
        ValueError: if there are too few classes, or a class has fewer usable
            files than there are splits.
    """

    def __init__(self, pictures, recordings, splits, seed, num_classes=None):
        self.rejects = []
        self.roots = {"pictures": Path(pictures), "recordings": Path(recordings)}
        for argument, root in self.roots.items():
            if not root.is_dir():
                raise ValueError(f"`{argument}` {root} is not a folder.")
        shared = set.intersection(
            *({p.name for p in r.iterdir() if p.is_dir()} for r in self.roots.values())
        )
        self.names = sorted(n for n in shared if not n.startswith("."))[:num_classes]
        if len(self.names) < max(2, num_classes or 2):
            raise ValueError(
                f"`pictures` and `recordings` share {len(self.names)} sub-folders; "
                f"they need at least {max(2, num_classes or 2)}, one for each class."
            )
        self.files = {
            (argument, name): self._divide(argument, name, splits, seed)
            for argument in self.roots
            for name in self.names
        }

    def _divide(self, argument, name, splits, seed):
        """The usable files of a class, for each split."""
        folder = self.roots[argument] / name
        check = check_picture if argument == "pictures" else _check_recording
        suffixes = PICTURE_SUFFIXES if argument == "pictures" else RECORDING_SUFFIXES
        usable = []
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in suffixes:
                continue
            reason = check(path)
            if reason is None:
                usable.append(f"{name}/{path.name}")
            else:
                self.rejects.append({"path": str(path), "reason": reason})
        if len(usable) < len(splits):
            raise ValueError(
                f"`{argument}` has {len(usable)} usable files in {folder}; put at "
                f"least {len(splits)} there, one for each split."
            )
        order = np.random.default_rng(
            [seed, sum(name.encode("utf-8", "surrogateescape"))]
        )
        order = order.permutation(len(usable))
        return {
            split: [usable[i] for i in sorted(order[k :: len(splits)])]
            for k, split in enumerate(splits)
        }

    def draw_scene(self, rng):
        """Pictures fill their cells: there is nothing behind them."""
        return None

    def paint_scene(self, scene, height, width):
        """Black, float `(height, width, 3)`."""
        return np.zeros((height, width, 3))

    def draw_look(self, name, split, radii, rng):
        """Which picture, and which part of it."""
        files = self.files["pictures", name][split]
        return {
            "picture": files[rng.integers(len(files))],
            "zoom": float(rng.uniform(1, 1.3)),
            "place": rng.uniform(0, 1, 2).tolist(),
        }

    def paint(self, name, look, height, width, growth=1.0):
        """Coverage (all of the cell) and colours of a picture."""
        from PIL import Image

        with Image.open(self.roots["pictures"] / look["picture"]) as image:
            image = image.convert("RGB")
            scale = max(height / image.height, width / image.width) * look["zoom"]
            sides = [round(image.width * scale), round(image.height * scale)]
            image = image.resize((max(width, sides[0]), max(height, sides[1])))
        pixels = np.asarray(image, np.float64) / 255
        room = np.array(pixels.shape[:2]) - [height, width]
        top, left = np.rint(room * np.array(look["place"])).astype(int)
        colors = pixels[top : top + height, left : left + width]
        return np.ones((height, width)), colors

    def draw_sound(self, name, split, rng):
        """Which recording, and from where on."""
        files = self.files["recordings", name][split]
        return {
            "recording": files[rng.integers(len(files))],
            "place": float(rng.uniform(0, 1)),
        }

    def sound(self, name, draw, num_samples, sample_rate):
        """Part of the recording: from the drawn place, or the loudest if it pauses.

        A recording that is too short is followed by silence.
        """
        path = self.roots["recordings"] / draw["recording"]
        recording, _ = read_waveform(path, sample_rate=sample_rate)
        recording = recording.astype(np.float64)
        if len(recording) <= num_samples:
            return np.pad(recording, (0, num_samples - len(recording)))
        first = round(draw["place"] * (len(recording) - num_samples))
        energy = np.concatenate([[0.0], np.cumsum(recording**2)])
        energies = energy[num_samples:] - energy[:-num_samples]
        if energies[first] < num_samples * PAUSE_RMS**2:
            first = int(np.argmax(energies))
        return recording[first : first + num_samples]


def check_picture(path):
    """Why a file cannot be used as a picture; `None` if it can."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # Pillow raises many kinds for a broken picture
        return f"cannot be read as a picture ({type(error).__name__})"
    return None


def _check_recording(path):
    try:
        waveform, has_audio = read_waveform(path)
    except MediaError as error:
        return str(error).removeprefix(f"{path}: ")
    if not has_audio:
        return "has no sound"
    if not np.any(np.abs(waveform) > RECORDING_FLOOR):
        return "is silent"
    return None


RECORDING_FLOOR = 1e-4
