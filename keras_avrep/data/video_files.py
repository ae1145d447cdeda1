"""Which files of a folder may be videos."""

import os
from pathlib import Path

ANNOTATIONS = "annotations.jsonl"
# Suffixes nobody puts into a video folder by mistake for a video.
COMPANIONS = {
    *(".csv", ".db", ".html", ".ini", ".jpeg", ".jpg", ".json", ".jsonl", ".log"),
    *(".m4a", ".md", ".mp3", ".npz", ".part", ".png", ".source", ".srt", ".txt"),
    *(".vtt", ".wav", ".yaml", ".yml"),
}
# What this library writes beside videos: read, not left alone.
OWN_SUFFIXES = {".part", ".source"}


def find_video_files(root: Path) -> tuple[list[Path], int]:
    """All files below a folder but hidden ones and those that go with videos.

    Links to folders are followed. A folder that can be reached in several ways is
    taken once, by its own name rather than by a link's.

    Args:
        root: the folder.

    Returns:
        Sorted list of paths, and how many files were left alone because their
        suffix says that they are no videos, such as `.txt` and `.wav`.

    Example:
    ```python
    files, other_files = find_video_files(Path("videos"))
    ```
    """
    found, others = [], 0
    for folder, names in _folders(root):
        for name in names:
            suffix = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix not in COMPANIONS:
                found.append(folder / name)
            elif suffix not in OWN_SUFFIXES and name != ANNOTATIONS:
                others += 1
    return sorted(found), others


def _folders(root: Path):
    """Folders with the names of their files, each once, links after the rest."""
    visited, waiting = set(), [root]
    for start in waiting:
        for folder, names, files in os.walk(start):
            status = os.stat(folder)
            place = status.st_dev, status.st_ino
            if place in visited:
                names.clear()
                continue
            visited.add(place)
            names[:] = sorted(n for n in names if not n.startswith("."))
            paths = [Path(folder) / n for n in names]
            # `os.walk` does not go into links; they come when all else has been seen.
            waiting += [p for p in paths if p.is_symlink()]
            yield Path(folder), files
