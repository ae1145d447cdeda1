"""Small datasets of moments in their published layouts, with real files."""

import pickle
import wave

import numpy as np
from PIL import Image


def write_picture(path, shade=128, size=(64, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).save(path)


def write_wave(path, hertz=440, rate=16000, seconds=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(rate * seconds)) / rate
    samples = np.rint(9000 * np.sin(2 * np.pi * hertz * t)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return samples


def write_pickle(path, content, protocol=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))


def log_mel(value=0.0):
    """What the cut datasets hold instead of sound."""
    return np.full((201, 64), value, np.float32)


def write_cut_video(root, name, seconds=3, rate=30, pictures=True, waves=False):
    """A video of the solo root: four frames a second, numbered through.

    Its sounds are spectrograms, or, with `waves`, tones of 200 Hz and one more for
    each second.
    """
    for second in range(seconds):
        path = root / f"audio_frames/{name}/{second:03d}"
        if waves:
            write_wave(path.with_suffix(".wav"), 200 + second)
        else:
            write_pickle(path.with_suffix(".pkl"), log_mel(second))
    step = rate // 4
    for number in range(0, seconds * rate if pictures else 0, step):
        folder = root / f"video_frames/{name}/frame_{number // rate:03d}"
        write_picture(folder / f"{number:05d}.jpg", shade=10 + number)
