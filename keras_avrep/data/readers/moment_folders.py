"""Folders of moments, told by their layout."""

import os
from dataclasses import replace
from pathlib import Path

from keras_avrep.data.moments import MomentManifest
from keras_avrep.data.readers.files import json_of
from keras_avrep.data.readers.listing import NOT_THERE
from keras_avrep.data.readers.music_solo import read_music_solo
from keras_avrep.data.readers.second_folders import (
    has_seconds,
    pair_names,
    sound_folder,
    youtube_id,
)
from keras_avrep.data.readers.synthetic_mixtures import (
    SPLIT_FOLDERS,
    has_mixtures,
    read_synthetic_mixtures,
)

LABELS = "MUSIC_*_videos.json"


def read_moment_folder(folder: str | os.PathLike) -> MomentManifest | None:
    """Read a folder that is cut into moments, in a layout that is known.

    Known are synthetic mixtures, as of `read_synthetic_mixtures`, and seconds with
    pictures, as of `read_music_solo`. Classes of these come from the label file
    `MUSIC_solo_videos.json` or `MUSIC_duet_videos.json` in the folder or the one
    above, as far as there is one; splits from the lists `pretrain.txt`, `train.txt`
    and `test.txt` in the folder, if there are any. With `test.txt` alone all others are
    of the split `"train"`.

    Args:
        folder: the root.

    Returns:
        `MomentManifest`, or `None` for any other folder, such as one of whole videos.

    Raises:
        ValueError: if the layout is known and something of it damaged.

    Example:
    ```python
    manifest = keras_avrep.data.read_moment_folder("MUSIC/solo")
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.2.
    """
    root = Path(folder).expanduser()
    if has_mixtures(root):
        return read_synthetic_mixtures(root)
    if has_seconds(root):
        return _read_seconds(root)
    return None


def _read_seconds(root: Path) -> MomentManifest:
    """All of a folder, in the splits of its lists."""
    manifest = read_music_solo(root, label_file(root))
    splits = _listed_splits(root, manifest.rejects)
    if not splits:
        return manifest
    # What is not held out is to learn from, unless there is a list of that, too.
    default = "train" if set(splits.values()) == {"test"} else None
    records, unlisted = [], set()
    for record in manifest.records:
        name = record.moment_id.rpartition("/")[0]
        if split := splits.get(name, default):
            records.append(replace(record, split=split))
        else:
            unlisted.add(name)
    manifest.records = records
    reason = "is in none of the lists of splits"
    manifest.rejects += [{"path": name, "reason": reason} for name in sorted(unlisted)]
    return manifest


def _listed_splits(root: Path, rejects: list[dict[str, str]]) -> dict[str, str]:
    """The split of each video that a list names, the first if there are several."""
    splits: dict[str, str] = {}
    for split in SPLIT_FOLDERS:
        path = root / f"{split}.txt"
        for name in pair_names(path, rejects) if path.is_file() else ():
            if name in splits:
                reason = f"listed for {splits[name]} and again {split}"
                rejects.append({"path": name, "reason": reason})
                continue
            splits[name] = split
            if not (sound_folder(root) / name).is_dir():
                reason = f"listed in {path.name} {NOT_THERE}"
                rejects.append({"path": name, "reason": reason})
    return splits


def label_file(root: Path) -> Path | None:
    """The label file that knows most videos of a folder; `None` if none knows any."""
    names = {youtube_id(p.name) for p in sound_folder(root).iterdir() if p.is_dir()}
    files = [
        path
        for place in (root, root.absolute().parent)
        for path in sorted(place.glob(LABELS))
    ]
    counts = [len(names & _known(path)) for path in files]
    return files[counts.index(max(counts))] if any(counts) else None


def _known(path: Path) -> set[str]:
    videos = json_of(path, dict).get("videos")
    videos = videos.values() if isinstance(videos, dict) else ()
    return {str(video) for ids in videos for video in ids}
