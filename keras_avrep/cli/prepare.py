"""Make small, fast-seeking copies of long or large videos.

    keras-avrep prepare videos --out small --size 128
    keras-avrep prepare footage --out small --segment-seconds 20

Labels, splits, known boxes and sub-folders stay. Pretrain on the copies: reading a
clip then costs little, epoch after epoch. Run the same command again to go on, or
when videos have come, changed or gone: copies of those that are gone are removed.
"""

from pathlib import Path

from keras_avrep.cli.arguments import above_zero, positive
from keras_avrep.cli.videos import VIDEOS


def add_arguments(parser):
    parser.add_argument("folder", help=VIDEOS)
    parser.add_argument("--out", required=True, help="folder of the copies")
    parser.add_argument(
        "--size", type=positive, default=128, help="short side in pixels (128)"
    )
    parser.add_argument(
        "--keyframe-interval",
        type=positive,
        default=8,
        help="frames between key frames (8)",
    )
    parser.add_argument(
        "--segment-seconds", type=above_zero, help="cut longer videos into such pieces"
    )
    parser.add_argument("--workers", type=positive, default=2, help="at a time (2)")


def run(args):
    from keras_avrep.cli.progress import Progress, say
    from keras_avrep.cli.videos import list_rejects, manifest_cache, open_videos
    from keras_avrep.data import prepare_videos
    from keras_avrep.data.prepare import check_folder

    # Before the cache is written there.
    check_folder(args.out, args.folder)
    cache = manifest_cache(args.out, args.out)
    manifest = open_videos(args.folder, cache, args.workers)
    rejects = prepare_videos(
        manifest,
        args.out,
        size=args.size,
        keyframe_interval=args.keyframe_interval,
        segment_seconds=args.segment_seconds,
        workers=args.workers,
        progress=Progress("prepared"),
    )
    list_rejects(manifest, rejects, Path(args.out) / "rejects.jsonl", say)
    say(f"wrote {args.out}; next: keras-avrep pretrain {args.out} --out runs/first")
