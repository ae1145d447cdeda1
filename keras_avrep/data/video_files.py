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


def find_video_files(root: Path) -> tuple[list[Path], int, list[dict[str, str]]]:
    """All files below a folder but hidden ones and those that go with videos.

    Links to folders are followed. A folder that can be reached in several ways is
    taken once, by its own name rather than by a link's.

    Args:
        root: the folder.

    Returns:
        Sorted list of paths; how many files were left alone because their suffix
        says that they are no videos, such as `.txt` and `.wav`; and a list of
        `{"path", "reason"}` of folders that cannot be read.

    Example:
    ```python
    files, other_files, rejects = find_video_files(Path("videos"))
    ```
    """
    found, others, errors = [], 0, []
    for folder, names in _folders(root, errors):
        for name in names:
            suffix = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix not in COMPANIONS:
                found.append(folder / name)
            elif suffix not in OWN_SUFFIXES and name != ANNOTATIONS:
                others += 1
    rejects = [_unread(error, root) for error in errors]
    return sorted(found), others, sorted(rejects, key=lambda r: r["path"])


def _unread(error: OSError, root: Path) -> dict[str, str]:
    path = Path(error.filename).relative_to(root).as_posix()
    return {"path": path, "reason": f"the folder cannot be read ({error.strerror})"}


def _folders(root: Path, errors: list[OSError]):
    """Folders with the names of their files, each once, links after the rest.

    Why a folder cannot be read is added to `errors`.
    """
    visited, waiting = set(), [root]
    for start in waiting:
        for folder, names, files in os.walk(start, onerror=errors.append):
            status = os.stat(folder)
            place = status.st_dev, status.st_ino
            if place in visited:
                names.clear()
                continue
            visited.add(place)
            names[:] = sorted(n for n in names if not n.startswith("."))
            paths = [Path(folder) / n for n in names]
            # `os.walk` does not go into links; they come when all else has been seen.
            waiting += [p for p in paths if os.path.islink(p)]
            yield Path(folder), files
