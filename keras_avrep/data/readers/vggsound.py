"""VGGSound: ten-second clips of 309 sounds that are seen as well."""

import csv as csv_module
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from keras_avrep.data.manifest import Manifest
from keras_avrep.data.readers.files import folder_of, text_of
from keras_avrep.data.readers.listing import Listed, Listing, build_manifest
from keras_avrep.data.readers.second_folders import pair_names

CLIP_SECONDS = 10


def read_vggsound(
    videos: str | os.PathLike,
    csv: str | os.PathLike,
    split: str,
    pairs: str | os.PathLike | None = None,
    *,
    cache: str | os.PathLike | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Read one split of VGGSound, as far as its clips could be had.

    A clip is looked for as `ID_000030.mp4` (start in seconds), `ID_30000_40000.mp4`
    (milliseconds) and plain `ID.mp4`, directly, in a folder named like its label,
    the split, or `video`. Clips that are not there are listed in `rejects`;
    `missing_videos` lists and so counts them.

    Args:
        videos: folder with the clips.
        csv: `vggsound.csv` with rows `ID,start,label,split`, or `train.csv` or
            `test.csv` with rows `ID_000030.mp4,label`; neither has a header.
        split: string. `"train"` or `"test"`. Rows of other splits are passed over.
        pairs: list of lines `ID.flac ID.mp4`, such as CSOL's, that says which
            clips count, whatever split they are of; the records get the split
            `split`. Defaults to `None`, all.
        cache: JSON file that keeps what the videos are, as of `scan_folder`; the
            splits may share one. Defaults to `None`.
        workers: int. Files opened at a time. Defaults to 2.
        progress: called with (files done, files in all). Defaults to `None`.

    Returns:
        `Manifest` with one split and the label `class`.

    Raises:
        ValueError: if the folder or a list is missing, or has no row that counts.

    Example:
    ```python
    manifest = keras_avrep.data.read_vggsound("vggsound", "vggsound.csv", "test")
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.3.
    """
    root, path = folder_of("videos", videos), Path(csv).expanduser()
    listing = Listing()
    wanted = None
    if pairs is not None:
        wanted = dict.fromkeys(pair_names(Path(pairs).expanduser(), listing.rejects))
    seen = set()
    for place, row in _rows(path):
        try:
            clip, start, label, row_split = _fields(row)
        except ValueError as error:
            listing.reject(place, str(error))
            continue
        if wanted is None and row_split not in (None, split):
            continue
        if wanted is not None and clip not in wanted:
            continue
        seen.add(clip)
        source = path.name if pairs is None else Path(pairs).name
        names = _places(clip, start, label, split)
        listing.videos.append(Listed(names, source, split, label))
    for clip in wanted or ():
        if clip not in seen:
            listing.reject(clip, f"listed in {Path(pairs).name} and not in {path.name}")
    if not listing.videos:
        raise ValueError(
            f'The annotation file {path} has no row of the split "{split}"'
            f"{'' if pairs is None else ' that the list names'}; give the file of "
            "that split."
        )
    return build_manifest(
        root, listing, cache=cache, workers=workers, progress=progress
    )


def listed_splits(path: Path) -> set[str]:
    """The splits that the rows of a list say; none of a list without that column."""
    return {row[3] for _, row in _rows(path.expanduser()) if len(row) == 4}


def _rows(path: Path):
    reader = csv_module.reader(StringIO(text_of(path), newline=""))
    for row in reader:
        if row:
            yield f"{path.name}:{reader.line_num}", [cell.strip() for cell in row]


def _fields(row: list[str]) -> tuple[str, int | None, str, str | None]:
    """Clip, start in seconds, label and split of a row of either file."""
    if len(row) == 4 and row[0] and row[2] and row[1].isdigit():
        return row[0], int(row[1]), row[2], row[3]
    if len(row) == 2 and row[0] and row[1]:
        clip, _, start = Path(row[0]).stem.rpartition("_")
        if clip and len(start) == 6 and start.isdigit():
            return clip, int(start), row[1], None
        return Path(row[0]).stem, None, row[1], None
    raise ValueError("is not a row ID,start,label,split or ID_000030.mp4,label")


def _places(clip: str, start: int | None, label: str, split: str) -> tuple[str, ...]:
    """Where a clip may lie, the official place first."""
    stems = [clip]
    if start is not None:
        span = f"{start * 1000}_{(start + CLIP_SECONDS) * 1000}"
        stems = [f"{clip}_{start:06d}", f"{clip}_{span}", clip]
    # A label may hold a slash; no folder can be called like that.
    folders = ["", f"{label}/", f"{split}/", "video/"]
    folders = [f for f in folders if f.count("/") <= 1]
    return tuple(f"{folder}{stem}.mp4" for stem in stems for folder in folders)
