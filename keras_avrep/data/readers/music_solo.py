"""MUSIC, cut into seconds as CSOL reads it: solos, and duets in the same layout."""

import os
from pathlib import Path

from keras_avrep.data.moments import MomentManifest
from keras_avrep.data.readers.files import folder_of, json_of
from keras_avrep.data.readers.second_folders import (
    moments_of,
    pair_names,
    sound_folder,
    youtube_id,
)


def read_music_solo(
    folder: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    pairs: str | os.PathLike | None = None,
    split: str | None = "train",
) -> MomentManifest:
    """Read one list of the MUSIC dataset, cut into seconds.

    Looks for `audio_frames/ID_0_1000/SSS.pkl` (or `wav_frames`; also `.wav`,
    `.npy`) and `video_frames/ID_0_1000/frame_SSS/FFFFF.jpg`. The label `class` is
    the instrument, or for duets the two of them as the label file has it. Files are
    listed and not opened: there are hundreds of thousands.

    Args:
        folder: the solo (or duet) root.
        labels: `MUSIC_solo_videos.json` (or `MUSIC_duet_videos.json`). Defaults to
            `None`, moments without labels.
        pairs: list of lines `ID_0_1000.flac ID_0_1000.mp4`. Defaults to `None`,
            all videos in the folder.
        split: string or `None`. Name given to the records' split. Defaults to
            `"train"`.

    Returns:
        `MomentManifest`, ordered by video and second; pictures have the times at
        which they were shown, whatever the frame rate. Videos that are not there
        (`missing_videos` lists them), have no class, and seconds without pictures
        are in `rejects`.

    Raises:
        ValueError: if a folder or annotation file is missing or damaged.

    Example:
    ```python
    manifest = keras_avrep.data.read_music_solo(
        "MUSIC/solo", "MUSIC_solo_videos.json", "solo_training.txt"
    )
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.2.
    """
    root = folder_of("folder", folder)
    label_of = None
    if labels is not None:
        classes = _classes(Path(labels).expanduser())

        def label_of(name):
            return classes.get(youtube_id(name))

    rejects: list[dict[str, str]] = []
    if pairs is None:
        source = "the folder"
        names = [p.name for p in sound_folder(root).iterdir() if p.is_dir()]
    else:
        source = Path(pairs).name
        names = pair_names(Path(pairs).expanduser(), rejects)
    records = moments_of(root, names, source, split, label_of, rejects)
    return MomentManifest(str(root), records, rejects)


def _classes(path: Path) -> dict[str, str]:
    """Class of each video."""
    videos = json_of(path, dict).get("videos")
    if not isinstance(videos, dict):
        raise ValueError(
            f'The annotation file {path} has no "videos" by class; give the '
            "dataset's official label file."
        )
    return {str(video): label for label, ids in videos.items() for video in ids}
