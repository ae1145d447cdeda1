"""Moments: a second of sound with the pictures that were shown in it."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_avrep.data.array_pickle import read_array_pickle
from keras_avrep.data.audio import read_waveform
from keras_avrep.data.manifest import Manifest
from keras_avrep.data.media import (
    VIDEO_SUFFIXES,
    MediaError,
    read_frames,
)
from keras_avrep.data.probe import shown_size
from keras_avrep.data.timed_frames import stream_timed_frames


@dataclass(frozen=True)
class MomentRecord:
    """One moment: datasets for sound localisation are cut into seconds.

    Args:
        moment_id: name within the dataset, such as `"ID_0_1000/013"`.
        video_id: the video it was cut from; for mixtures the sample itself.
        sound: absolute path of the sound: a sound file, an `.npy` waveform or a
            pickle of a waveform or log-mel spectrogram; or the video, which it is
            then taken from at `start`.
        pictures: absolute paths of the pictures, or of the video, which they are
            then taken from at `times`.
        start: seconds into the video.
        times: seconds into the video, of each picture.
        labels: dict from label name to class name; empty without labels.
        split: `"train"`, `"test"`, … or `None`.
        boxes: relative `y1, x1, y2, x2` of objects, in all pictures.
        box_labels: class name of each box.
        box_sounding: whether the object of each box sounds.
        stems: absolute path of an `.npz` with the sound of each source, or
            `None`.
        duration: seconds.
        levels: dict from the class of each source that sounds, seen or not, to its
            level in dB; empty where it is not known.
    """

    moment_id: str
    video_id: str
    sound: str
    pictures: tuple[str, ...]
    start: float = 0.0
    times: tuple[float, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    split: str | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    box_labels: tuple[str, ...] = ()
    box_sounding: tuple[bool, ...] = ()
    stems: str | None = None
    duration: float = 1.0
    levels: dict[str, float] = field(default_factory=dict)


@dataclass
class MomentManifest(Manifest):
    """A `Manifest` whose records are `MomentRecord`s.

    Example:
    ```python
    manifest = keras_avrep.data.read_synthetic_mixtures("MUSIC-Synthetic")
    sample = keras_avrep.data.read_moment(manifest.records[0], size=224)
    ```
    """

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MomentManifest":
        """Read what `save` wrote.

        Raises:
            ValueError: if the file holds something else.
        """
        try:
            content = json.loads(Path(path).read_text())
            records = [_record(entry) for entry in content["records"]]
            root, rejects = content["root"], content["rejects"]
            later = {k: content[k] for k in ("other_files", "notes") if k in content}
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path} is no manifest of moments; `keras-avrep scan FOLDER --layout "
                "music --out manifest.json` writes one."
            ) from None
        return cls(root, records, rejects, **later)


def read_moment(
    record: MomentRecord, size: int = 224, picture: int = 0, sample_rate: int = 16000
) -> dict:
    """Read the sound and one picture of a moment.

    The picture is scaled to a square whatever its shape, so that relative boxes
    stay right.

    Args:
        record: `MomentRecord`.
        size: int. Height and width in pixels. Defaults to 224.
        picture: int. Which of its pictures. Defaults to 0.
        sample_rate: int. Of the waveform, in Hz, where the file says its own; a
            bare array is taken as it is. Defaults to 16000.

    Returns:
        Dict of `frame` uint8 `(size, size, 3)`, and either `audio` float32
        `(sample_rate,)` with `has_audio` and `sample_rate`, or `log_mel` float32
        `(time, mel)`, whatever the dataset holds. `has_audio` is false of a video
        without sound track, and `audio` zeros.

    Raises:
        MediaError: if a file cannot be read.

    Example:
    ```python
    sample = keras_avrep.data.read_moment(record, size=224)
    sample["frame"].shape  # (224, 224, 3)
    ```
    """
    path = Path(record.pictures[picture])
    if path.suffix.lower() in VIDEO_SUFFIXES:
        frame = _read_shown(path, record.times[picture], size)
    else:
        frame = _read_picture(path, size)
    return {"frame": frame, **_read_sound(record, sample_rate)}


def by_video(records: list[MomentRecord]) -> list[list[MomentRecord]]:
    """The moments of each video, in the order in which videos come first.

    Args:
        records: list of `MomentRecord`.

    Returns:
        List of lists of `MomentRecord`, one for each `video_id`.

    Example:
    ```python
    len(by_video(manifest.records))  # how many videos there are
    ```
    """
    videos: dict[str, list[MomentRecord]] = {}
    for record in records:
        videos.setdefault(record.video_id, []).append(record)
    return list(videos.values())


def fit_sound(audio: np.ndarray, count: int) -> np.ndarray:
    """A sound of a given length: the middle of it, or with silence on both sides.

    Args:
        audio: array `(S,)`.
        count: int. Samples.

    Returns:
        Array `(count,)`.

    Example:
    ```python
    fit_sound(np.ones(2), 4)  # [0, 1, 1, 0]
    ```
    """
    missing = count - len(audio)
    if missing >= 0:
        return np.pad(audio, (missing // 2, missing - missing // 2))
    first = -missing // 2
    return audio[first : first + count]


def read_stems(record: MomentRecord) -> dict[str, np.ndarray]:
    """The sound of each source of a synthetic mixture, and what is known of it.

    Args:
        record: `MomentRecord` with `stems`.

    Returns:
        Dict of the arrays in the file, such as `stems`, `gains_db`, `class_ids`,
        `on_screen`.

    Raises:
        MediaError: if there are no stems, or the file cannot be read.

    Example:
    ```python
    keras_avrep.data.read_stems(record)["gains_db"]
    ```
    """
    if record.stems is None:
        raise MediaError(f"{record.moment_id}: the dataset has no stems of it.")
    try:
        with np.load(record.stems, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except Exception as error:  # a damaged archive may raise nearly anything
        raise _unreadable(record.stems, error) from None


def _read_picture(path: Path, size: int) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _read_shown(path: Path, time: float, size: int) -> np.ndarray:
    """The frame that a video shows at a time, scaled to a square like a picture."""
    width, height = shown_size(path)
    if width == height:
        return read_frames(path, [time], size)[0]
    # One by one, as only a square can be sought.
    shown = None
    for seconds, image in stream_timed_frames(path, size):
        if shown is not None and float(seconds) > time + 5e-4:
            break
        shown = image
    return shown


def _read_sound(record: MomentRecord, sample_rate: int) -> dict:
    path, has_audio = Path(record.sound), True
    if path.suffix == ".pkl":
        array = read_array_pickle(path)
    elif path.suffix == ".npy":
        try:
            array = np.load(path, allow_pickle=False)
        except Exception as error:  # a damaged file may raise nearly anything
            raise _unreadable(path, error) from None
    else:
        cut = path.suffix.lower() not in VIDEO_SUFFIXES
        start = 0.0 if cut else record.start
        array, has_audio = read_waveform(path, start, record.duration, sample_rate)
    array = np.asarray(array)
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or not array.size:
        raise MediaError(
            f"{path}: holds neither a waveform nor a spectrogram, but an array of "
            f"shape {array.shape}."
        )
    array = array.astype(np.float32)
    if array.ndim == 2:
        return {"log_mel": array}
    return {
        "audio": array,
        "has_audio": np.bool_(has_audio),
        "sample_rate": np.int32(sample_rate),
    }


def _unreadable(path, error) -> MediaError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return MediaError(f"{path}: cannot be read ({reason}).")


def _record(entry: dict) -> MomentRecord:
    """A record from JSON, where tuples have become lists."""
    fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    fixed["boxes"] = tuple(tuple(box) for box in entry["boxes"])
    return MomentRecord(**fixed)
