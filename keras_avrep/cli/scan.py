"""List the usable videos of a folder, and the files that are not.

    keras-avrep scan videos --out manifest.json

Opens every file once; a second scan only opens what changed.
"""

from collections import Counter
from pathlib import Path


def add_arguments(parser):
    parser.add_argument("folder", help="folder of videos, with any sub-folders")
    parser.add_argument("--out", help="write the manifest to this JSON file")
    parser.add_argument("--rejects", help="write the rejects to this JSON-lines file")
    parser.add_argument("--cache", help="JSON file that remembers checked files")
    parser.add_argument("--workers", type=int, default=2)


def run(args):
    from keras_avrep.cli.progress import Progress, say
    from keras_avrep.data import scan_folder

    manifest = scan_folder(args.folder, args.cache, args.workers, Progress("checked"))
    describe(manifest, say)
    for record in manifest.cut_short:
        promised = record.duration + record.missing_seconds
        seconds = f"{record.duration:.1f} of {promised:.1f} seconds"
        say(f"  cut short: {record.video_id}: {seconds} are there")
    for reject in manifest.rejects:
        say(f"  left out: {reject['path']}: {reject['reason']}")
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        manifest.save(args.out)
    if args.rejects:
        manifest.write_rejects(args.rejects)


def describe(manifest, say):
    """Say in a few lines what a manifest holds."""
    records = manifest.records
    sound = sum(r.has_audio for r in records)
    say(
        f"{len(records)} videos, {manifest.seconds:.0f} seconds, {sound} with sound; "
        f"{len(manifest.rejects)} files left out"
    )
    if manifest.cut_short:
        say(f"  {len(manifest.cut_short)} cut short: the end of the file is missing")
    if manifest.other_files:
        say(f"  {manifest.other_files} other files left alone")
    describe_labels(manifest, say)


def describe_moments(manifest, say):
    """Say the same of a manifest of moments."""
    records = manifest.records
    say(
        f"{len({r.video_id for r in records})} videos in {len(records)} moments, "
        f"{manifest.seconds:.0f} seconds; {len(manifest.rejects)} left out"
    )
    describe_labels(manifest, say)


def describe_labels(manifest, say):
    """Say which splits and classes the records have."""
    records = manifest.records
    splits = Counter(r.split for r in records if r.split)
    if splits:
        say("  splits: " + ", ".join(f"{k} {n}" for k, n in splits.items()))
    for label in manifest.label_names:
        classes = manifest.classes(label)
        shown = ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
        say(f"  {label}: {len(classes)} classes ({shown})")
