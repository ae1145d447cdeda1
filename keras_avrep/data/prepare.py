"""Small, fast-seeking copies of videos, for reading them epoch after epoch."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av

from keras_avrep.data.audio import read_waveform
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
    interrupted preparation goes on where it was. Sound is kept as one channel of
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

    def copy(record):
        try:
            return _copy(record, folder, size, keyframe_interval, segment_seconds)
        except (MediaError, ValueError, OSError, av.FFmpegError) as error:
            return [], {"path": record.video_id, "reason": str(error)}

    lines, rejects = [], []
    with ThreadPoolExecutor(max(1, workers)) as pool:
        results = pool.map(copy, manifest.records)
        for done, (record, result) in enumerate(
            zip(manifest.records, results, strict=True), 1
        ):
            paths, reject = result
            rejects += [reject] if reject else []
            lines += [_annotation(path, record) for path in paths]
            if progress is not None:
                progress(done, len(manifest.records))
    (folder / ANNOTATIONS).write_text("".join(lines))
    return rejects


def _copy(record: VideoRecord, folder, size, keyframe_interval, segment_seconds):
    """Write the copy or copies of one video.

    Returns their relative paths, and what is to be said of its sound, or `None`.
    """
    name = Path(record.video_id).with_suffix("")
    parts = 1
    if segment_seconds:
        parts = max(1, round(record.duration / segment_seconds))
    names = [
        f"{name}.mp4" if parts == 1 else f"{name}_{p:04d}.mp4" for p in range(parts)
    ]
    # Two videos may differ in their suffix only.
    taken = folder / f"{name}.source"
    if all((folder / n).exists() for n in names) and _read(taken) == record.video_id:
        return names, None
    if taken.exists() and _read(taken) != record.video_id:
        names = [
            n.replace(".mp4", f"{Path(record.video_id).suffix}.mp4") for n in names
        ]
    taken.parent.mkdir(parents=True, exist_ok=True)
    frames = stream_frames(record.path, size)
    per_part = -(-max(record.num_frames, 1) // parts)
    seconds = per_part / record.fps
    problem = None
    for position, relative in enumerate(names):
        last = position == parts - 1
        start = position * seconds
        duration = record.duration - start if last else seconds
        sound, bad = _sound(record, start, duration)
        problem = problem or bad
        write_video(
            folder / relative,
            frames if last else _take(frames, per_part),
            record.fps,
            crf=20,
            keyframe_interval=keyframe_interval,
            audio=sound,
            sample_rate=SAMPLE_RATE,
        )
    taken.write_text(record.video_id)
    return names, problem


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


def _read(path):
    return path.read_text() if path.exists() else None


def _annotation(path, record):
    entry = {"video": path, "split": record.split, "labels": record.labels}
    return json.dumps(entry) + "\n"
