"""List the usable videos of a folder, and the files that are not.

    keras-avrep scan videos --out manifest.json
    keras-avrep scan UCF-101 --layout ucf101 --lists ucfTrainTestlist --split 1 \\
        --out ucf101.json
    keras-avrep scan k400 --layout kinetics --lists k400/csv --out k400.json
    keras-avrep scan vggsound --layout vggsound --lists vggsound.csv --out vgg.json
    keras-avrep scan MUSIC/solo --layout music --only solo_training_1.txt \\
        --out solos.json

Opens every file once; with --cache, a second scan only opens what changed. Commands
that take a folder of videos also take the manifest that --out writes. With --layout,
labels and splits are those of the dataset's official lists. Of MUSIC and AudioSet's
instruments, which are cut into seconds, it lists the seconds and opens none.
"""

from collections import Counter
from pathlib import Path

from keras_avrep.cli.arguments import positive
from keras_avrep.cli.layouts import LAYOUTS, MOMENT_LAYOUTS


def add_arguments(parser):
    parser.add_argument("folder", help="folder of videos, with any sub-folders")
    parser.add_argument("--out", help="write the manifest to this JSON file")
    parser.add_argument("--rejects", help="write the rejects to this JSON-lines file")
    parser.add_argument("--cache", help="JSON file that remembers checked files")
    parser.add_argument("--workers", type=positive, default=2, help="at a time (2)")
    group = parser.add_argument_group("public datasets")
    group.add_argument("--layout", choices=LAYOUTS, help="of which dataset it is")
    group.add_argument("--lists", help="folder of its official lists; or the file")
    group.add_argument(
        "--split", help="1, 2 or 3 of ucf101 and hmdb51 (1); train, val or test"
    )
    group.add_argument(
        "--only", help="list of the videos that count, of vggsound and music"
    )
    group.add_argument(
        "--version", type=int, choices=(1, 2), help="of diving48's annotation (2)"
    )


def run(args):
    from keras_avrep.cli.progress import say

    manifest = scanned(args)
    if args.layout in MOMENT_LAYOUTS:
        describe_moments(manifest, say)
    else:
        describe(manifest, say)
        describe_cut_short(manifest, say)
    for reject in manifest.rejects:
        say(f"  left out: {reject['path']}: {reject['reason']}")
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        manifest.save(args.out)
    if args.rejects:
        manifest.write_rejects(args.rejects)


def scanned(args):
    """The manifest of any folder, or of a dataset by its lists."""
    from keras_avrep.cli.layouts import read_layout
    from keras_avrep.cli.progress import Progress
    from keras_avrep.data import scan_folder

    options = {"cache": args.cache, "workers": args.workers}
    options["progress"] = Progress("checked")
    if args.layout in MOMENT_LAYOUTS and args.cache:
        raise ValueError(
            f"--cache is for videos; --layout {args.layout} opens no file."
        )
    if args.layout:
        chosen = args.layout, args.folder, args.lists, args.split, args.version
        return read_layout(*chosen, args.only, **options)
    for name in ("lists", "split", "version", "only"):
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} needs --layout, the dataset that it is of.")
    return scan_folder(args.folder, **options)


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
    for note in manifest.notes:
        say(f"  {note}")
    describe_labels(manifest, say)


def describe_cut_short(manifest, say):
    """Say which videos end before their time."""
    for record in manifest.cut_short:
        promised = record.duration + record.missing_seconds
        seconds = f"{record.duration:.1f} of {promised:.1f} seconds"
        say(f"  cut short: {record.video_id}: {seconds} are there")


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
    # What is learned from without labels need not have any.
    labelled = [r for r in records if r.split != "pretrain"]
    for label, lacking in lacking_labels(labelled).items():
        say(f"  {label}: {lacking}")


def lacking_labels(records):
    """How many records lack a label that others have.

    Args:
        records: of videos or moments.

    Returns:
        Dict from label to a sentence, such as `"1 of 12 videos lacks it (a.mp4)"`;
        empty where every record has the same labels.
    """
    from keras_avrep.data.annotations import some_names

    told = {}
    for label in sorted(set().union(*(r.labels for r in records))):
        names = [r.video_id for r in records if label not in r.labels]
        if names:
            lack = "lacks it" if len(names) == 1 else "lack it"
            told[label] = (
                f"{len(names)} of {len(records)} videos {lack} ({some_names(names)})"
            )
    return told
