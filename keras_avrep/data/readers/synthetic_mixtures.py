"""Synthetic mixtures: MUSIC-Synthetic, VGGSound-Synthetic, and IEr's layout."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_avrep.data.moments import MomentManifest, MomentRecord
from keras_avrep.data.readers.csol_boxes import MUSIC_CATEGORIES, class_names
from keras_avrep.data.readers.files import folder_of
from keras_avrep.data.readers.second_folders import PICTURE_SUFFIXES, SOUND_SUFFIXES

# Where the splits lie, the first that is there; pictures are in `video` or `frame`.
SPLIT_FOLDERS = {
    "pretrain": ("pretrain",),
    "train": ("train/train", "train"),
    "test": ("test1", "test"),
}


def has_mixtures(root: Path) -> bool:
    """Whether a folder is laid out as synthetic mixtures are."""
    places = [place for names in SPLIT_FOLDERS.values() for place in names]
    return any(_files(root / place / "audio", SOUND_SUFFIXES) for place in places)


def read_synthetic_mixtures(
    folder: str | os.PathLike, classes: dict[int, str] | list[str] | None = None
) -> MomentManifest:
    """Read composites of several instruments of which some sound.

    Two layouts: `train/train/{audio,video}` with `test1/{audio,video,box}`, as
    published with CSOL, and `{pretrain,train,test}/{audio,frame,box,stems}` with
    `classes.txt`, as `render_mixtures` writes it. Sound and picture are paired by
    name, or by sorted order where no names agree. Boxes have rows
    `x, y, w, h, class` (all sounding) or `x, y, w, h, class, sounding`.

    Args:
        folder: the root.
        classes: names by number. Defaults to `None`: `classes.txt` if it is
            there, else the seven of MUSIC's boxes.

    Returns:
        `MomentManifest` with the splits `"pretrain"`, `"train"` and `"test"`, as far
        as they are there. The label `class` of boxed ones has what sounds, joined by
        `+`. Files without a partner and boxes that make no sense are in
        `rejects`.

    Raises:
        ValueError: if the folder is missing, holds no split, or sounds and
            pictures cannot be paired.

    Example:
    ```python
    manifest = keras_avrep.data.read_synthetic_mixtures("MUSIC-Synthetic")
    manifest.split("test")[0].box_labels
    ```

    Reference: notes of CSOL (arXiv:2112.11749), section 2.2, and IEr
    (arXiv:2202.06406), section 2.2.
    """
    root = folder_of("folder", folder)
    names = class_names(root, classes, MUSIC_CATEGORIES)
    manifest = MomentManifest(str(root), [])
    for split, places in SPLIT_FOLDERS.items():
        place = next((root / p for p in places if (root / p / "audio").is_dir()), None)
        if place is not None:
            _read_split(place, split, names, manifest)
    if not manifest.records and not manifest.rejects:
        raise ValueError(
            f"`folder` {root} has neither train/train/audio, test1/audio, "
            "pretrain/audio, train/audio nor test/audio; give the root of a synthetic "
            "set."
        )
    return manifest


def _read_split(place: Path, split: str, names, manifest: MomentManifest) -> None:
    sounds = _files(place / "audio", SOUND_SUFFIXES)
    shown = place / "video" if (place / "video").is_dir() else place / "frame"
    pictures = _files(shown, PICTURE_SUFFIXES)
    for name, sound, picture in _paired(place, sounds, pictures, manifest):
        moment = f"{place.relative_to(manifest.root).as_posix()}/{name}"
        stems = place / "stems" / f"{name}.npz"
        record = MomentRecord(
            moment_id=moment,
            video_id=moment,
            sound=str(sound),
            pictures=(str(picture),),
            times=(0.0,),
            split=split,
            stems=str(stems) if stems.is_file() else None,
            levels=_levels(stems, names) if stems.is_file() else {},
        )
        if (place / "box").is_dir():
            try:
                record = _with_boxes(record, place / "box" / f"{name}.npy", names)
            except (KeyError, OSError, ValueError, EOFError) as error:
                reason = f"its boxes cannot be read ({_reason(error)})"
                manifest.rejects.append({"path": moment, "reason": reason})
                continue
        manifest.records.append(record)


def _files(folder: Path, suffixes) -> dict[str, Path]:
    """Files by name, sorted."""
    if not folder.is_dir():
        return {}
    paths = [p for p in folder.iterdir() if p.suffix.lower() in suffixes]
    return {path.stem: path for path in sorted(paths)}


def _paired(place, sounds, pictures, manifest):
    """Triples of name, sound and picture."""
    shared = [name for name in sounds if name in pictures]
    if not shared and len(sounds) == len(pictures):
        # The boxes go by the name of the picture.
        return [
            (name, sound, picture)
            for sound, (name, picture) in zip(
                sounds.values(), pictures.items(), strict=True
            )
        ]
    if not shared:
        raise ValueError(
            f"{place} has {len(sounds)} sounds and {len(pictures)} pictures, and no "
            "name of the two agrees; complete the download."
        )
    for name in sorted(set(sounds) ^ set(pictures)):
        lone, other = (sounds, "picture") if name in sounds else (pictures, "sound")
        path = lone[name].relative_to(manifest.root).as_posix()
        manifest.rejects.append({"path": path, "reason": f"has no {other} of its name"})
    return [(name, sounds[name], pictures[name]) for name in shared]


def _with_boxes(record: MomentRecord, path: Path, names) -> MomentRecord:
    rows = np.load(path, allow_pickle=False).astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (5, 6) or not np.isfinite(rows).all():
        raise ValueError(f"shape {rows.shape}")
    x, y, width, height = rows[:, :4].T
    corners = np.clip(np.stack([y, x, y + height, x + width], axis=1), 0, 1)
    labels = tuple(names[int(number)] for number in rows[:, 4])
    sounding = rows[:, 5] > 0 if rows.shape[1] == 6 else np.ones(len(rows), bool)
    heard = {label for label, on in zip(labels, sounding, strict=True) if on}
    return replace(
        record,
        boxes=tuple(tuple(box) for box in corners.tolist()),
        box_labels=labels,
        box_sounding=tuple(sounding.tolist()),
        labels={"class": "+".join(sorted(heard))},
    )


def _levels(path: Path, names) -> dict[str, float]:
    """How loud each source is; none if the stems do not say it."""
    try:
        # Only the short arrays are read, not the sounds.
        with np.load(path, allow_pickle=False) as content:
            ids, gains = content["class_ids"], content["gains_db"]
        pairs = zip(ids.tolist(), gains.tolist(), strict=True)
        return {names[number]: float(gain) for number, gain in pairs if number >= 0}
    except Exception:  # a damaged archive may raise nearly anything
        return {}


def _reason(error) -> str:
    if isinstance(error, KeyError):
        return f"class {error} has no name"
    return getattr(error, "strerror", None) or str(error).split("\n")[0]
