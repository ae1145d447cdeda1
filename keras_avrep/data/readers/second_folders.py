"""Datasets cut into seconds: a folder of sounds and one of pictures each video.

<root>/audio_frames/<video>/SSS.pkl
<root>/video_frames/<video>/frame_SSS/FFFFF.jpg
"""

import re
from collections.abc import Iterable
from pathlib import Path

from keras_avrep.data.moments import MomentRecord
from keras_avrep.data.readers.files import lines_of
from keras_avrep.data.readers.frame_times import frame_rate, frame_time
from keras_avrep.data.readers.listing import NOT_THERE

# The scripts that cut the sets write to another folder than is read from.
SOUND_FOLDERS = ("audio_frames", "wav_frames")
PICTURE_FOLDER = "video_frames"
SOUND_SUFFIXES = {".flac", ".npy", ".pkl", ".wav"}
PICTURE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png"}
SPAN = re.compile(r"_\d+_\d+$")


def youtube_id(name: str) -> str:
    """The video of a cut: `"ID_0_1000"` without its span."""
    # An id has eleven characters and may itself end like a span.
    return name if len(name) == 11 else SPAN.sub("", name)


def has_seconds(root: Path) -> bool:
    """Whether a folder is laid out in seconds, with sounds and with pictures."""
    sounds = any((root / name).is_dir() for name in SOUND_FOLDERS)
    return sounds and (root / PICTURE_FOLDER).is_dir()


def sound_folder(root: Path) -> Path:
    """The folder of the sounds.

    Raises:
        ValueError: if there is none.
    """
    for name in SOUND_FOLDERS:
        if (root / name).is_dir():
            return root / name
    raise ValueError(
        f"`folder` {root} has neither {' nor '.join(SOUND_FOLDERS)}; give the folder "
        f"with {SOUND_FOLDERS[0]} and {PICTURE_FOLDER} in it."
    )


def pair_names(path: Path, rejects: list[dict[str, str]]) -> list[str]:
    """Names of the videos of a list of lines `NAME.flac NAME.mp4`.

    Args:
        path: the list.
        rejects: gets the lines that are something else.

    Returns:
        Names without suffix, each once.
    """
    names = {}
    for place, line in lines_of(path):
        stems = {Path(word).stem for word in line.split()}
        if len(stems) == 1 and "/" not in line:
            names[stems.pop()] = True
        else:
            reason = "is not a line NAME.flac NAME.mp4 of one name"
            rejects.append({"path": place, "reason": reason})
    return list(names)


def moments_of(
    root: Path,
    names: Iterable[str],
    source: str,
    split: str | None,
    label_of,
    rejects: list[dict[str, str]],
) -> list[MomentRecord]:
    """The moments of listed videos.

    Args:
        root: folder with `audio_frames` and `video_frames`.
        names: of the videos, such as `"ID_0_1000"`.
        source: name of the list, for messages.
        split: string or `None`.
        label_of: from a name to its class, `None` if it has none; or `None` if there
            are no classes.
        rejects: gets videos that are not there and seconds without pictures.

    Returns:
        List of `MomentRecord`, ordered by video and second.
    """
    sounds = sound_folder(root)
    records = []
    for name in sorted(set(names)):
        if not (sounds / name).is_dir():
            reason = f"listed in {source} {NOT_THERE}"
            rejects.append({"path": name, "reason": reason})
            continue
        labels = {} if label_of is None else {"class": label_of(name)}
        if None in labels.values():
            rejects.append({"path": name, "reason": "is of no class in the labels"})
            continue
        pictures = _pictures(root / PICTURE_FOLDER / name)
        records += _video_moments(name, sounds / name, pictures, split, labels, rejects)
    return records


def _video_moments(name, folder, pictures, split, labels, rejects):
    rate = frame_rate((s, n) for s, found in pictures.items() for n, _ in found)
    records, seconds = [], {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in SOUND_SUFFIXES or not path.stem.isdigit():
            continue
        # The same second in several formats counts once.
        if seconds.setdefault(int(path.stem), path) != path:
            continue
        second, moment = int(path.stem), f"{name}/{path.stem}"
        shown = pictures.get(second, [])
        if not path.stat().st_size:
            rejects.append({"path": moment, "reason": "its sound is empty"})
        elif not shown:
            rejects.append({"path": moment, "reason": "has no pictures"})
        else:
            records.append(
                MomentRecord(
                    moment_id=moment,
                    video_id=youtube_id(name),
                    sound=str(path),
                    pictures=tuple(str(p) for _, p in shown),
                    start=float(second),
                    times=tuple(frame_time(second, n, rate) for n, _ in shown),
                    labels=dict(labels),
                    split=split,
                )
            )
    return records


def _pictures(folder: Path) -> dict[int, list[tuple[int, Path]]]:
    """Numbered pictures by second."""
    found: dict[int, list[tuple[int, Path]]] = {}
    if not folder.is_dir():
        return found
    for place in sorted(folder.glob("frame_*")):
        second = place.name.removeprefix("frame_")
        if not (second.isdigit() and place.is_dir()):
            continue
        for path in sorted(place.iterdir()):
            usable = path.suffix.lower() in PICTURE_SUFFIXES and path.stem.isdigit()
            if usable and path.stat().st_size:
                found.setdefault(int(second), []).append((int(path.stem), path))
    return found
