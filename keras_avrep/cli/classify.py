"""Predict the class of each video with a fine-tuned classifier.

    keras-avrep classify runs/classifier videos --out predictions.csv

One row for each video: its path, its class, and the probability of that class,
from the mean over equally spaced clips. The classifier is what `finetune` wrote.
"""

from pathlib import Path

from keras_avrep.cli.arguments import add_crops, add_threads, positive
from keras_avrep.cli.videos import VIDEOS


def add_arguments(parser):
    parser.add_argument("run", help="folder or preset of a fine-tuned classifier")
    parser.add_argument("folder", help=VIDEOS)
    parser.add_argument("--out", required=True, help=".csv file")
    parser.add_argument(
        "--num-clips", type=positive, default=10, help="averaged for each video (10)"
    )
    add_crops(parser)
    add_threads(parser)


def run(args):
    from keras_avrep.cli.progress import Progress, say
    from keras_avrep.cli.run_folder import class_names, clip_arguments, load_run_model
    from keras_avrep.cli.videos import list_rejects, manifest_cache, open_videos
    from keras_avrep.evaluation import classify_videos

    out = Path(args.out)
    if out.suffix != ".csv":
        raise ValueError(f"--out {out} must end in .csv.")
    model, config = load_run_model(args.run)
    clip = clip_arguments(config)
    classes = class_names(model, config)
    if classes is None:
        raise ValueError(
            f"{args.run} is no classifier; run `keras-avrep finetune {args.run} VIDEOS "
            "--out CLASSIFIER` first and give CLASSIFIER."
        )
    cache = manifest_cache(args.run, out.parent)
    manifest = open_videos(args.folder, cache, args.threads)
    found = classify_videos(
        model,
        manifest.records,
        classes,
        num_clips=args.num_clips,
        crops=args.crops,
        workers=args.threads,
        progress=Progress("classified"),
        **clip,
    )
    write_predictions(out, found)
    rejects = out.with_name(f"{out.stem}_rejects.jsonl")
    list_rejects(manifest, found.rejects, rejects, say)
    say(f"{len(found.paths)} videos in {out}")


def write_predictions(out, found):
    """The file, complete or not at all."""
    import csv

    from keras_avrep.data.files import replacing

    rows = zip(found.paths, found.classes, found.probabilities, strict=True)
    with (
        replacing(out) as temporary,
        # Names of files need not be UTF-8: they are written as they are.
        open(
            temporary, "w", newline="", encoding="utf-8", errors="surrogateescape"
        ) as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["path", "class", "probability"])
        writer.writerows([path, name, f"{share:.4f}"] for path, name, share in rows)
