"""Videos of the world `orchestra`, cut into seconds, with what is true of each."""

import json
import math
import os
from pathlib import Path

from keras_avrep.data.manifest import ANNOTATIONS, scan_folder
from keras_avrep.data.moments import MomentManifest, MomentRecord
from keras_avrep.data.readers.files import folder_of, lines_of

MISSING = "has no sources, so no boxes"


def read_orchestra(
    folder: str | os.PathLike, duration: float = 1.0, workers: int = 2
) -> MomentManifest:
    """Read what `keras-avrep render --world orchestra` wrote.

    Every whole second of a video is a moment: its sound, and the frame shown in the
    middle of it with the boxes of that frame. Sound and frame stay in the video;
    `read_moment` takes them from there.

    Args:
        folder: the folder of videos, with `annotations.jsonl`.
        duration: float. Seconds of a moment. Defaults to 1.
        workers: int. Videos opened at a time. Defaults to 2.

    Returns:
        `MomentManifest`, ordered by video and second. Boxes are of all that is seen;
        `box_sounding` says what sounds and `levels` how loudly, also of what is not
        seen. Videos that are damaged or have no truth are in `rejects`.

    Raises:
        ValueError: if the folder is missing or holds no annotated sources.

    Example:
    ```python
    manifest = keras_avrep.data.read_orchestra("duets")
    record = manifest.split("test")[0]
    record.box_labels, record.levels
    ```

    Reference: notes of CSOL (arXiv:2112.11749), section 2.4, and IEr
    (arXiv:2202.06406), section 2.2.
    """
    root = folder_of("folder", folder)
    truth = _sources(root)
    if not truth:
        raise ValueError(
            f"`folder` {root} has no {ANNOTATIONS} with sources; render it with "
            "`keras-avrep render FOLDER --world orchestra`."
        )
    videos = scan_folder(root, workers=workers)
    manifest = MomentManifest(str(root), [], list(videos.rejects))
    for video in videos.records:
        if video.video_id in truth:
            manifest.records += _moments(video, truth[video.video_id], duration)
        else:
            manifest.rejects.append({"path": video.video_id, "reason": MISSING})
    return manifest


def has_sources(folder: str | os.PathLike) -> bool:
    """Whether a folder has annotations that say what sounds where."""
    return bool(_sources(Path(folder).expanduser()))


def _sources(root: Path) -> dict[str, list[dict]]:
    """The sources of each video; lines that make no sense are told by the scan."""
    path = root / ANNOTATIONS
    found = {}
    for _, line in lines_of(path) if path.is_file() else ():
        try:
            entry = json.loads(line)
            found[entry["video"]] = [dict(source) for source in entry["sources"]]
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _moments(video, sources: list[dict], duration: float) -> list[MomentRecord]:
    shown = [source for source in sources if source["on_screen"]]
    levels = {s["class"]: float(s["gain_db"]) for s in sources if s["sounding"]}
    stems = Path(video.path).with_suffix(".npz")
    # The length of a track is rounded.
    count = max(1, math.floor(video.duration / duration + 0.01))
    moments = []
    for number in range(count):
        middle = (number + 0.5) * duration
        # A little more, as times are rounded.
        frame = math.floor(middle * video.fps + 1e-3)
        boxes = [s["boxes"][min(frame, len(s["boxes"]) - 1)] for s in shown]
        moments.append(
            MomentRecord(
                moment_id=f"{video.video_id}/{number:03d}",
                video_id=video.video_id,
                sound=video.path,
                pictures=(video.path,),
                start=number * duration,
                times=(middle,),
                labels=video.labels,
                split=video.split,
                boxes=tuple(tuple(float(x) for x in box) for box in boxes),
                box_labels=tuple(source["class"] for source in shown),
                box_sounding=tuple(bool(source["sounding"]) for source in shown),
                stems=str(stems) if stems.is_file() else None,
                duration=duration,
                levels=levels,
            )
        )
    return moments
