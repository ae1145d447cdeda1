"""What a command is given to work on: a folder of videos, or a manifest of one."""

import json
import os
from pathlib import Path

# Help of the argument that `open_videos` takes.
VIDEOS = "folder of videos, or a manifest of one that `scan --out` wrote"
# In place of "rejects" in the name of a list.
CUT_SHORT = "cut_short"
# Of a classifier's run: the videos that it has not seen, where there are no splits.
TESTED = "tested.json"


def open_videos(place, cache=None, threads=2):
    """Scan a folder, or read a manifest, and say what there is.

    Args:
        place: path of a folder, or of the JSON file that `scan --out` wrote.
        cache: JSON file that keeps what a folder's videos are, so that they are not
            all opened again. Defaults to `None`.
        threads: int. Files opened at a time. Defaults to 2.

    Returns:
        `keras_avrep.data.Manifest` with at least one record.

    Raises:
        ValueError: if it is neither, or holds no usable video.
    """
    from keras_avrep.cli.progress import Progress, say
    from keras_avrep.cli.scan import describe
    from keras_avrep.data import scan_folder

    path = Path(place).expanduser()
    if path.is_file():
        manifest = read_manifest(path)
    else:
        manifest = scan_folder(path, cache, threads, Progress("checked"))
    describe(manifest, say)
    if not manifest.records:
        raise ValueError(
            f"There are no usable videos in {place}; `keras-avrep scan` says why."
        )
    return manifest


def list_rejects(manifest, rejects, path, say):
    """Say what was left out and why, and keep it in a file where there is any.

    Args:
        manifest: `keras_avrep.data.Manifest`, whose own rejects come first.
        rejects: list of `{"path", "reason"}` of what failed later.
        path: `pathlib.Path` of a JSON-lines file.
        say: called with each line of text.
    """
    manifest.rejects += rejects
    for reject in manifest.rejects:
        say(f"left out: {reject['path']}: {reject['reason']}")
    if manifest.rejects:
        manifest.write_rejects(path)
    else:
        path.unlink(missing_ok=True)


def reject_writer(manifest, path, say):
    """Writes rejects now, and again for every video or moment that fails later.

    Beside them goes what is used as far as it goes: videos that were cut short.

    Args:
        manifest: of videos or moments; its `rejects` are added to.
        path: `pathlib.Path` of a JSON-lines file, `rejects.jsonl` or `…_rejects.jsonl`.
        say: called with each line of text.

    Returns:
        Function of (record, reason).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_rejects(path)
    write_cut_short(manifest, path.with_name(path.name.replace("rejects", CUT_SHORT)))

    def on_reject(record, reason):
        name = getattr(record, "moment_id", record.video_id)
        # One that fails in training fails again when it is embedded.
        if any(r["path"] == name for r in manifest.rejects):
            return
        manifest.rejects.append({"path": name, "reason": reason})
        manifest.write_rejects(path)
        say(f"left out: {reason}")

    return on_reject


def write_cut_short(manifest, path):
    """List the videos that end before their time, where there are any."""
    if getattr(manifest, "cut_short", None):
        manifest.write_cut_short(path)
    else:
        path.unlink(missing_ok=True)


def read_manifest(path):
    """A manifest from its file; videos that are gone by now are rejects."""
    from keras_avrep.data import Manifest

    manifest = Manifest.load(path)
    gone = [r for r in manifest.records if not Path(r.path).is_file()]
    for record in gone:
        reason = f"listed in {path.name} but not there"
        manifest.rejects.append({"path": record.video_id, "reason": reason})
    missing = {r.path for r in gone}
    manifest.records = [r for r in manifest.records if r.path not in missing]
    return manifest


def read_moments(place):
    """The moments of a folder that is cut into seconds, or of a manifest of one.

    Args:
        place: path of a folder, or of the JSON file that `scan --out` wrote.

    Returns:
        `keras_avrep.data.MomentManifest`; `None` for anything else, such as a folder
        or a manifest of whole videos.

    Raises:
        ValueError: if it is cut into seconds and something of it damaged.
    """
    from keras_avrep.data import MomentManifest, read_moment_folder

    path = Path(place).expanduser()
    if not path.is_file():
        return read_moment_folder(path)
    try:
        return MomentManifest.load(path)
    except ValueError:
        return None


def manifest_cache(run, folder=None):
    """Where a command keeps what it has learned about the videos of a folder.

    Args:
        run: run folder, or what else the model comes from.
        folder: folder of the output, for a model that is no run. Defaults to `None`.

    Returns:
        Path in the run, else of a hidden file beside the output, else `None`.
    """
    from keras_avrep.cli.run_folder import is_run

    if is_run(run) and os.access(run, os.W_OK):
        return Path(run) / "manifest_cache.json"
    return None if folder is None else Path(folder) / ".manifest_cache.json"


def train_and_test(manifest, seed, tested=None):
    """Records to learn or compare with, and records to be tested with.

    Args:
        manifest: `keras_avrep.data.Manifest`. Its own splits are kept.
        seed: int. Of the division where there are no splits.
        tested: path of a JSON file of names of the videos that a run is tested with,
            which is kept to where there are no splits. Defaults to `None`.

    Returns:
        Two lists of `VideoRecord`.

    Raises:
        ValueError: if one of them is empty.
    """
    from keras_avrep.data import split_records

    train, test = split_records(manifest.records, seed=seed)
    if tested is not None and tested.is_file() and not has_splits(manifest):
        names = set(json.loads(tested.read_text()))
        train = [r for r in manifest.records if r.video_id not in names]
        test = [r for r in manifest.records if r.video_id in names]
    for name, records in (("train", train), ("test", test)):
        if not records:
            raise ValueError(
                f"{manifest.root} has no usable videos for the split {name!r}; give "
                "videos of both splits, or without splits."
            )
    return train, test


def has_splits(manifest):
    """Whether any of the videos says what it is for."""
    return any(record.split for record in manifest.records)
