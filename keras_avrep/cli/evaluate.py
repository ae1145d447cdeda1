"""Measure what a model has learned: retrieval, kNN and linear probe.

    keras-avrep evaluate runs/first videos
    keras-avrep evaluate runs/first videos --control shuffled

Features are frozen. Labels come from `annotations.jsonl` or the first
sub-folder; without labels, clips are asked to find their own video.
"""

from pathlib import Path


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument("folder", help="folder of videos")
    parser.add_argument("--num-clips", type=int, default=10, help="clips of a video")
    parser.add_argument(
        "--control",
        choices=("single_frame", "shuffled"),
        help="take motion, or its order, out of the clips",
    )
    parser.add_argument("--out", help="JSON file; by default in the run folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)


def run(args):
    from keras_avrep.cli.measuring import measure_model
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import (
        is_run,
        load_run_model,
        update_summary,
        write_json,
    )
    from keras_avrep.data import scan_folder, split_records

    model, config = load_run_model(args.run)
    manifest = scan_folder(args.folder, workers=args.threads)
    train, test = split_records(manifest.records, seed=args.seed)
    run = Path(args.run) if is_run(args.run) else None
    results = measure_model(
        model,
        run,
        train,
        test,
        config["clip"],
        num_clips=args.num_clips,
        threads=args.threads,
        seed=args.seed,
        say=say,
        control=args.control,
    )
    suffix = f"_{args.control}" if args.control else ""
    out = args.out or (run or Path(".")) / f"evaluation{suffix}.json"
    write_json(out, {"control": args.control, **results})
    if run and not args.control:
        update_summary(run, {type(model).__name__.lower(): results})
