"""Folders of moments, told by their layout."""

import os
from pathlib import Path

from keras_avrep.data.moments import MomentManifest
from keras_avrep.data.readers.files import json_of
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
    and `test.txt` in the folder, if there are any.

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
    """All of a folder, or what its lists have, in splits."""
    labels = label_file(root)
    lists = {s: root / f"{s}.txt" for s in SPLIT_FOLDERS}
    lists = {split: path for split, path in lists.items() if path.is_file()}
    if not lists:
        return read_music_solo(root, labels)
    whole, seen = MomentManifest(str(root), []), set()
    for split, path in lists.items():
        part = read_music_solo(root, labels, path, split)
        seen.update(pair_names(path, []))
        whole.records += part.records
        whole.rejects += part.rejects
    for name in sorted(p.name for p in sound_folder(root).iterdir() if p.is_dir()):
        if name not in seen:
            reason = f"is in none of {', '.join(p.name for p in lists.values())}"
            whole.rejects.append({"path": name, "reason": reason})
    return whole


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
