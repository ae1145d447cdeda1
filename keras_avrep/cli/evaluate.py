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
    from keras_avrep.cli.progress import Progress, say
    from keras_avrep.cli.run_folder import clip_arguments, load_run_model, write_json
    from keras_avrep.data import scan_folder, split_records
    from keras_avrep.evaluation import embed_videos, evaluate_features, save_features

    model, config = load_run_model(args.run)
    manifest = scan_folder(args.folder, workers=args.threads)
    train, test = split_records(manifest.records, seed=args.seed)
    options = {
        **clip_arguments(config),
        "num_clips": args.num_clips,
        "workers": args.threads,
        "control": args.control,
        "seed": args.seed,
    }
    representation = model.representation
    gallery = embed_videos(
        representation, train, progress=Progress("train videos"), **options
    )
    queries = embed_videos(
        representation, test, progress=Progress("test videos"), **options
    )
    results = {
        "control": args.control,
        **evaluate_features(gallery, queries, args.seed),
    }
    if not results["retrieval"]:
        say("The videos have no labels: a clip is asked to find its own video.")
        results["retrieval"]["video"] = own_video_retrieval(
            representation, test, clip_arguments(config), args.threads
        )
    show_results(results, say)
    folder = Path(args.run) if Path(args.run).is_dir() else Path(".")
    suffix = f"_{args.control}" if args.control else ""
    write_json(args.out or folder / f"evaluation{suffix}.json", results)
    if not args.control and folder != Path("."):
        save_features(folder / "features.npz", gallery, queries)


def own_video_retrieval(representation, records, clip, threads):
    """Recall of the last clip of a video, asked with its first one."""
    from keras_avrep.data import MediaError, read_sample
    from keras_avrep.evaluation import embed_clips, instance_retrieval
    from keras_avrep.views import UniformClips

    sampler = UniformClips(2, clip["num_frames"], clip["stride"])
    pairs = []
    for record in records:
        try:
            sample = read_sample(record, sampler(record), clip["size"])
        except MediaError:
            continue
        pairs.append(embed_clips(representation, sample["video"]))
    if len(pairs) < 2:
        return {}
    first, second = zip(*pairs, strict=True)
    return instance_retrieval(list(first), list(second))


def show_results(results, say):
    """Print measures as a small table."""
    for label, recalls in results["retrieval"].items():
        text = "  ".join(f"R@{k[5:]} {v:.1%}" for k, v in recalls.items())
        say(f"{label}: {text}")
    for label, probe in results["probe"].items():
        text = "  ".join(f"{k} {v:.1%}" for k, v in probe.items())
        say(f"{label}: {text}")
