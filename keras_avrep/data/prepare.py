"""Small, fast-seeking copies of videos, for reading them epoch after epoch."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, pairwise
from pathlib import Path

import av
import numpy as np

from keras_avrep.data.audio import read_waveform
from keras_avrep.data.files import replacing, write_text
from keras_avrep.data.manifest import ANNOTATIONS, Manifest, VideoRecord
from keras_avrep.data.media import MediaError, stream_frames
from keras_avrep.data.prepared_names import CopyPlan, plan_copies
from keras_avrep.data.readers.box_tracks import boxes_to_json, find_box_tracks
from keras_avrep.data.video_writer import write_video

SAMPLE_RATE = 16000  # Hz, of the copies' sound
SOUND_SECONDS = 60  # of sound decoded at a time
ORIGIN = ".prepared_from"  # says which folder the copies are of


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

    Sub-folders, labels and splits stay, and so do boxes of an `annotations.jsonl` as
    `read_box_tracks` reads them. What is there already is kept, so an interrupted
    preparation goes on where it was; copies of a source that has changed, or made with
    other options, are made again, and those of videos that `manifest` no longer has
    are removed. Sound is kept as one channel of 16 kHz, in time with the picture;
    where it cannot be decoded, it is left out.

    Args:
        manifest: the videos.
        folder: where to, outside the videos' own folder; it can be scanned like that.
        size: int. Short side in pixels; smaller videos keep theirs. Defaults
            to 128.
        keyframe_interval: int. Frames from one key frame to the next. Defaults
            to 8.
        segment_seconds: float or `None`. Longer videos become several files of
            about this length. Defaults to `None`.
        workers: int. Videos at a time. Defaults to 2.
        progress: called with (videos done, videos in all). Defaults to `None`.

    Returns:
        `{"path", "reason"}` of each video that was left out, or whose sound was, and
        of boxes that cannot be read.

    Raises:
        ValueError: if `folder` is the one the videos are in, or inside it, or has
            copies of other videos, be they of the same folder, or files of the same
            names that are no copies.

    Example:
    ```python
    rejects = prepare_videos(scan_folder("videos"), "small", size=128)
    ```
    """
    folder = Path(folder)
    check_folder(folder, manifest.root)
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "size": size,
        "keyframe_interval": keyframe_interval,
        "segment_seconds": segment_seconds,
    }
    plans = plan_copies(manifest.records, segment_seconds)
    planned = {name for plan in plans for name in plan.files}
    notes = _read_notes(folder, plans)
    _claim(folder, manifest.root, planned, notes)
    _refuse_other_part(folder, notes, manifest)

    def copy(record, plan):
        before = notes.get(plan.name, {})
        # Another video may take over what is no longer needed here.
        old = set(before.get("names", ())) - (planned - set(plan.files))
        try:
            return _copy(record, folder, plan, options, before, old)
        except (MediaError, ValueError, OSError, av.FFmpegError) as error:
            return [], [], {"path": record.video_id, "reason": str(error)}

    tracks, rejects = _boxes(manifest)
    lines, listed = [], {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        # In the loop: under a name of its own it would outlive Ctrl-C, and all other
        # videos would still be copied.
        for done, (record, plan, (names, bounds, reject)) in enumerate(
            zip(
                manifest.records,
                plans,
                pool.map(copy, manifest.records, plans),
                strict=True,
            ),
            1,
        ):
            rejects += [reject] if reject else []
            lines += _annotations(names, bounds, record, tracks.get(record.video_id))
            listed |= {plan.name: names} if names else {}
            if progress is not None:
                progress(done, len(manifest.records))
    write_text(folder / ANNOTATIONS, "".join(lines))
    _remove_unlisted(folder, notes, _read_notes(folder, plans), listed)
    return rejects


def check_folder(folder, root) -> None:
    """Refuse a folder for copies that is found with the videos below `root`.

    Raises:
        ValueError: if it is `root` or inside it.
    """
    place, root = Path(folder).resolve(), Path(root).expanduser().resolve()
    if place == root:
        raise ValueError(f"`folder` {folder} is the one the videos are in.")
    if place.is_relative_to(root):
        raise ValueError(
            f"`folder` {folder} for the copies is inside {root}, where the videos are: "
            "give one outside (`--out`), or the next run would copy the copies."
        )


def _refuse_other_part(folder: Path, notes: dict, manifest) -> None:
    """Refuse copies of another part of the same videos, which would be removed."""
    known = {r.video_id for r in manifest.records}
    known |= {reject["path"] for reject in manifest.rejects}
    made_of = {content["made_of"].get("video") for content in notes.values()}
    root = Path(manifest.root).expanduser()
    others = [v for v in made_of - known if v is not None and (root / v).is_file()]
    if others:
        raise ValueError(
            f"`folder` {folder} holds copies of {len(others)} videos, such as "
            f"{min(others)}, that are not asked for now and would be removed: give "
            "another folder (`--out`)."
        )


def _claim(folder: Path, root, planned: set[str], notes: dict) -> None:
    """Note whose copies a folder holds; those of other videos would be removed.

    A folder that holds none yet must not have files of these names.
    """
    note, root = folder / ORIGIN, str(Path(root).expanduser().resolve())
    if not note.exists() and not notes:
        there = [n for n in (ANNOTATIONS, *sorted(planned)) if (folder / n).exists()]
        if there:
            raise ValueError(
                f"`folder` {folder} has files that are no copies made here and would "
                f"be written over, such as {there[0]}: give another folder (`--out`)."
            )
    # Names of folders need not be UTF-8.
    other = os.fsdecode(note.read_bytes()) if note.exists() else root
    if other != root and Path(other).exists():
        raise ValueError(
            f"`folder` {folder} holds copies of the videos in {other}: give another "
            "folder (`--out`), or delete it first."
        )
    with replacing(note) as temporary:
        temporary.write_bytes(os.fsencode(root))


def _copy(record: VideoRecord, folder: Path, plan: CopyPlan, options, before, old):
    """Write the copy or copies of one video, unless they are there.

    `before` is what the note of the last run says, and `old` are the names of the
    copies in it. Returns the names of the copies, the first frame of each as in
    `CopyPlan`, and what is to be said of its sound, or `None`.
    """
    made_of = {"video": record.video_id, "stamp": _stamp(record.path), **options}
    names = before.get("names", [])
    if before.get("made_of") == made_of and _all_there(folder, names, plan):
        bounds = before.get("bounds") or _equal_bounds(record, len(names))
        return names, bounds, before.get("problem")
    # Half of the old copies and half of the new ones must not pass for either.
    for name in old:
        (folder / name).unlink(missing_ok=True)
    # What is written belongs to this note, even if it is interrupted.
    new = [name for name in plan.files if not (folder / name).exists()]
    note = folder / f"{plan.name}.source"
    write_text(note, json.dumps({"made_of": {"video": record.video_id}, "names": new}))
    written, problem = _write_parts(record, folder, plan, options)
    names, bounds = plan.files[:written], plan.bounds[: written + 1]
    content = {"made_of": made_of, "names": names, "bounds": bounds}
    write_text(note, json.dumps({**content, "problem": problem}))
    return names, bounds, problem


def _all_there(folder, names, plan) -> bool:
    """Whether copies are those that are planned; there may be fewer."""
    expected = plan.files[: len(names)]
    return names == expected != [] and all((folder / n).exists() for n in names)


def _equal_bounds(record, parts) -> list[int | None]:
    """Bounds of copies whose note says none: all parts but the last were alike."""
    count = -(-max(record.num_frames, 1) // parts)
    return [p * count for p in range(parts)] + [None]


def _write_parts(record: VideoRecord, folder: Path, plan: CopyPlan, options: dict):
    """Write a video in parts.

    Returns how many there are, and what is wrong with its sound: a reject or `None`.
    """
    frames = stream_frames(record.path, options["size"])
    written, problem = 0, None
    for name, (start, stop) in zip(plan.files, pairwise(plan.bounds), strict=True):
        first = list(islice(frames, 1))
        # The number of frames may be an estimate: what would be empty is left out.
        if written and not first:
            break
        begin = start / record.fps
        end = record.duration if stop is None else stop / record.fps
        sound, bad = _sound(record, begin, end - begin)
        problem = problem or bad
        rest = frames if stop is None else islice(frames, stop - start - 1)
        write_video(
            folder / name,
            chain(first, rest),
            record.fps,
            crf=20,
            keyframe_interval=options["keyframe_interval"],
            audio=sound,
            sample_rate=SAMPLE_RATE,
        )
        written += 1
    return written, problem


def _sound(record, start, duration):
    """The sound of a part and `None`, or `None` and why there is none to be had.

    A bad track does not cost the picture.
    """
    if not record.has_audio or duration * SAMPLE_RATE < 1:
        return None, None
    # In pieces, as hours at once need gigabytes; counted in samples, so that they fit.
    count = round(duration * SAMPLE_RATE)
    edges = [*range(0, count, SOUND_SECONDS * SAMPLE_RATE), count]
    try:
        pieces = [
            read_waveform(
                record.path, start + a / SAMPLE_RATE, (b - a) / SAMPLE_RATE, SAMPLE_RATE
            )[0]
            for a, b in pairwise(edges)
        ]
        return np.concatenate(pieces), None
    except (MediaError, av.FFmpegError) as error:
        reason = f"its sound was left out, its pictures are there: {error}"
        return None, {"path": record.video_id, "reason": reason}


def _stamp(path) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def _read_notes(folder: Path, plans: list[CopyPlan]) -> dict[str, dict]:
    """What the notes beside the copies say, by relative name without a suffix."""
    notes, owners = {}, Counter()
    found = [p.relative_to(folder).as_posix() for p in folder.rglob("*.source")]
    # Those of the plan may be in linked folders.
    for name in {p.name for p in plans} | {n.removesuffix(".source") for n in found}:
        try:
            content = json.loads((folder / f"{name}.source").read_text())
            # Only files that are named like the note can be its copies.
            if all(_is_copy(n, name) for n in content["names"]):
                notes[name] = {**content, "made_of": {**content["made_of"]}}
                owners.update(set(content["names"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    for content in notes.values():
        # What two videos have been written to may be a copy of either.
        if any(owners[n] > 1 for n in content["names"]):
            content["made_of"] = {}
    return notes


def _is_copy(file: str, name: str) -> bool:
    return file.startswith(name) and re.fullmatch(r"(_\d+)?\.mp4", file[len(name) :])


def _remove_unlisted(folder: Path, before: dict, now: dict, listed: dict) -> None:
    """Remove copies that no annotation is of: they would cost the others' labels.

    They are of videos that are gone, failed or are copied to another name. Only what
    a note lists, before or now, is touched; `listed` are names of copies by note.
    """
    kept = {name for names in listed.values() for name in names}
    for content in (*before.values(), *now.values()):
        for name in set(content["names"]) - kept:
            (folder / name).unlink(missing_ok=True)
    for name in now.keys() - listed.keys():
        (folder / f"{name}.source").unlink(missing_ok=True)


def _boxes(manifest):
    """Tracks that the videos' folder says, and rejects that are not yet told."""
    found = find_box_tracks(manifest)
    told = {reject["path"] for reject in manifest.rejects}
    return found.tracks, [r for r in found.rejects if r["path"] not in told]


def _annotations(names, bounds, record, track):
    """The lines of a video's copies; its boxes are those of their frames."""
    lines = []
    for name, (start, stop) in zip(names, pairwise(bounds), strict=True):
        entry = {"video": name, "split": record.split, "labels": record.labels}
        if len(names) > 1 or record.source:
            entry["source"] = record.source or record.video_id
        # There may be boxes of the beginning only.
        if track is not None and len(boxes := track["boxes"][start:stop]):
            entry["boxes"] = boxes_to_json(boxes)
        lines.append(json.dumps(entry) + "\n")
    return lines
