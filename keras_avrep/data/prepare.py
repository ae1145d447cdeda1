"""Small, fast-seeking copies of videos, for reading them epoch after epoch."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av

from keras_avrep.data.audio import read_waveform
from keras_avrep.data.files import write_text
from keras_avrep.data.manifest import ANNOTATIONS, Manifest, VideoRecord
from keras_avrep.data.media import MediaError, stream_frames
from keras_avrep.data.video_writer import write_video

SAMPLE_RATE = 16000  # Hz, of the copies' sound


def prepare_videos(
    manifest: Manifest,
    folder,
    *,
    size: int = 128,
    keyframe_interval: int = 8,
    segment_seconds: float | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, str]]:
    """Write a copy of every video with a small short side and many key frames.

    Sub-folders, labels and splits stay. What is there already is kept, so an
    interrupted preparation goes on where it was; copies of a source that has changed,
    or made with other options, are made again. Sound is kept as one channel of
    16 kHz, in time with the picture; where it cannot be decoded, it is left out.

    Args:
        manifest: the videos.
        folder: where to; it can be scanned like the original.
        size: int. Short side in pixels; smaller videos keep theirs. Defaults
            to 128.
        keyframe_interval: int. Frames from one key frame to the next. Defaults
            to 8.
        segment_seconds: float or `None`. Longer videos become several files of
            about this length. Defaults to `None`.
        workers: int. Videos at a time. Defaults to 2.
        progress: called with (videos done, videos in all). Defaults to `None`.

    Returns:
        `{"path", "reason"}` of each video that was left out, or whose sound was.

    Example:
    ```python
    rejects = prepare_videos(scan_folder("videos"), "small", size=128)
    ```
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() == Path(manifest.root).resolve():
        raise ValueError(f"`folder` {folder} is the one the videos are in.")
    options = {
        "size": size,
        "keyframe_interval": keyframe_interval,
        "segment_seconds": segment_seconds,
    }

    def copy(record, name):
        try:
            return _copy(record, folder, name, options)
        except (MediaError, ValueError, OSError, av.FFmpegError) as error:
            return [], {"path": record.video_id, "reason": str(error)}

    lines, rejects = [], []
    names = _copy_names(manifest.records)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        results = pool.map(copy, manifest.records, names)
        for done, (record, result) in enumerate(
            zip(manifest.records, results, strict=True), 1
        ):
            paths, reject = result
            rejects += [reject] if reject else []
            lines += [_annotation(path, record) for path in paths]
            if progress is not None:
                progress(done, len(manifest.records))
    write_text(folder / ANNOTATIONS, "".join(lines))
    return rejects


def _copy_names(records: list[VideoRecord]) -> list[str]:
    """Relative names of the copies, without a suffix, all different."""
    names = {}
    for record in records:
        name = Path(record.video_id).with_suffix("").as_posix()
        # Two videos may differ in their suffix only.
        name = record.video_id if name in names else name
        while name in names:
            name += "_"
        names[name] = record
    return list(names)


def _copy(record: VideoRecord, folder: Path, name: str, options: dict):
    """Write the copy or copies of one video, unless they are there.

    Returns their relative paths, and what is to be said of its sound, or `None`.
    """
    seconds, parts = options["segment_seconds"], 1
    if seconds:
        parts = max(1, round(record.duration / seconds))
    names = [
        f"{name}.mp4" if parts == 1 else f"{name}_{p:04d}.mp4" for p in range(parts)
    ]
    note = folder / f"{name}.source"
    made_of = {"video": record.video_id, "stamp": _stamp(record.path), **options}
    before = _read(note)
    if before.get("made_of") == made_of and all((folder / n).exists() for n in names):
        return names, before.get("problem")
    # Half of the old copies and half of the new ones must not pass for either.
    note.unlink(missing_ok=True)
    for old in set(before.get("names", ())) - set(names):
        (folder / old).unlink(missing_ok=True)
    problem = _write_parts(record, [folder / n for n in names], options)
    content = {"made_of": made_of, "names": names, "problem": problem}
    write_text(note, json.dumps(content))
    return names, problem


def _write_parts(record: VideoRecord, paths: list[Path], options: dict):
    """Write a video in parts of the same length; returns what is wrong with its sound.

    What is wrong is a reject, or `None`.
    """
    frames = stream_frames(record.path, options["size"])
    per_part = -(-max(record.num_frames, 1) // len(paths))
    seconds = per_part / record.fps
    problem = None
    for position, path in enumerate(paths):
        last = position == len(paths) - 1
        start = position * seconds
        duration = record.duration - start if last else seconds
        sound, bad = _sound(record, start, duration)
        problem = problem or bad
        write_video(
            path,
            frames if last else _take(frames, per_part),
            record.fps,
            crf=20,
            keyframe_interval=options["keyframe_interval"],
            audio=sound,
            sample_rate=SAMPLE_RATE,
        )
    return problem


def _sound(record, start, duration):
    """The sound of a part and `None`, or `None` and why there is none to be had.

    A bad track does not cost the picture.
    """
    if not record.has_audio or duration * SAMPLE_RATE < 1:
        return None, None
    try:
        return read_waveform(record.path, start, duration, SAMPLE_RATE)[0], None
    except MediaError as error:
        reason = f"its sound was left out, its pictures are there: {error}"
        return None, {"path": record.video_id, "reason": reason}


def _take(frames, count):
    for _ in range(count):
        frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _stamp(path) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def _read(note: Path) -> dict:
    """What a note says that a copy was made of; empty if it says nothing."""
    try:
        content = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _annotation(path, record):
    entry = {"video": path, "split": record.split, "labels": record.labels}
    return json.dumps(entry) + "\n"
