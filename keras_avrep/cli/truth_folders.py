"""Folders of moments that `evaluate` knows the truth of: what sounds, and where."""

from dataclasses import replace
from pathlib import Path


def read_truth(folder, threads=2):
    """The moments of a folder that says what sounds where, or at least what.

    Raises:
        ValueError: if it says neither.
    """
    from keras_avrep.cli.videos import read_moments
    from keras_avrep.data import read_orchestra
    from keras_avrep.data.readers.orchestra import has_sources

    root = Path(folder).expanduser()
    if not root.exists():
        raise ValueError(
            f"{folder} is not there; give a folder with boxes, or a manifest of one."
        )
    if has_sources(root):
        return read_orchestra(root, workers=threads)
    if (manifest := read_moments(root)) is not None:
        return manifest
    raise ValueError(
        f"{folder} does not say what sounds where, so nothing can be scored; "
        "`keras-avrep localize` draws into videos without that."
    )


def read_boxed(folder, path):
    """The frames that a file has boxes of, each as a moment of the nearest picture.

    Args:
        folder: with `audio_frames` and `video_frames`, as of `read_music_solo`; or a
            manifest of one.
        path: the file, as of `read_csol_boxes`.

    Returns:
        `MomentManifest` of the split `"test"`; what has no partner is in `rejects`,
        pictures and frames counted by video.

    Raises:
        ValueError: if folder or file cannot be read, or have no video in common.
    """
    from keras_avrep.data import MomentManifest, read_csol_boxes, read_music_solo

    place = Path(folder).expanduser()
    read = MomentManifest.load if place.is_file() else read_music_solo
    manifest = read(place)
    boxes = read_csol_boxes(path)
    matches, unmatched = boxes.match(manifest)
    if not matches:
        raise ValueError(
            f"{path} has no box of a picture in {folder}; give the folder whose videos "
            "it lists."
        )
    nearest = {}
    for match in sorted(matches, key=distance):
        nearest.setdefault(id(match.frame), match)
    # In the order of the folder, which is that of the videos.
    kept = [match for match in matches if nearest[id(match.frame)] is match]
    moments = [replace(match.moment, split="test") for match in kept]
    rejects = [*manifest.rejects, *boxes.rejects]
    rejects += [*counted_by_video(unmatched, manifest), *lone_frames(boxes, kept)]
    return MomentManifest(manifest.root, moments, rejects)


def distance(match):
    """Seconds between a picture and the frame that it is taken for."""
    return abs(match.record.times[match.picture] - match.frame.time)


def lone_frames(boxes, matches):
    """Rejects of boxed frames of videos that are there, without a picture."""
    counts = {}
    for match in matches:
        video = match.record.video_id
        counts[video] = counts.get(video, 0) + 1
    missing = {v: len(boxes.videos[v]) - count for v, count in counts.items()}
    return [
        {"path": video, "reason": f"{count} of its boxed frames have no picture near"}
        for video, count in missing.items()
        if count
    ]


def counted_by_video(unmatched, manifest):
    """Rejects, those of the pictures of one video counted in one."""
    videos = {path: r.video_id for r in manifest.records for path in r.pictures}
    counts, others = {}, []
    for reject in unmatched:
        if (video := videos.get(reject["path"])) is None:
            others.append(reject)
        else:
            key = video, reject["reason"]
            counts[key] = counts.get(key, 0) + 1
    return others + [
        {"path": video, "reason": f"{count} of its pictures: {reason}"}
        for (video, reason), count in counts.items()
    ]


def kind_of(manifest, records, boxes=None):
    """What a set is as a whole; `None` where each moment says what it is.

    The published boxes are all of what sounds, so it cannot be seen from them that
    something is silent, or that two are there of which one was found.

    Args:
        manifest: `MomentManifest`.
        records: those of it that are scored.
        boxes: file of boxes, or `None`.

    Returns:
        `"solo"` or `"duet"` if the name of the file says so, `"composite"` for
        synthetic mixtures, else `None`.
    """
    from keras_avrep.data.readers.synthetic_mixtures import has_mixtures

    if boxes is not None:
        name = Path(boxes).stem.lower()
        return next((kind for kind in ("solo", "duet") if kind in name), None)
    if not has_mixtures(Path(manifest.root)):
        return None
    silent = any(not all(r.box_sounding) for r in records)
    return None if all(r.levels for r in records) and not silent else "composite"


def labelled_solos(records):
    """Those with one source and its class; of moments that have a class and nothing
    else it is taken to be one."""
    from keras_avrep.evaluation import sounding_truth

    kept = sounding_truth(records).solo
    records = [
        record
        for record, one in zip(records, kept, strict=True)
        if one or not (record.boxes or record.levels)
    ]
    return [record for record in records if record.labels.get("class")]
