"""Measure what a model has learned: retrieval, kNN and linear probe; or maps.

    keras-avrep evaluate runs/first videos
    keras-avrep evaluate runs/first videos --control shuffled
    keras-avrep evaluate runs/csol composites --solo solos
    keras-avrep evaluate runs/csol MUSIC/duet --boxes duettest.json --solo MUSIC/solo

Features are frozen. Labels come from `annotations.jsonl`, the first sub-folder or
the manifest; without labels, clips are asked to find their own video. Videos of the
split train are the gallery, those of test or val the queries; without splits, a
quarter is set aside, of each `class` if there is one. A run that was pretrained on the
same folder has seen those videos, without their labels.

A localiser is scored on videos whose boxes are known, such as those that
`keras-avrep render --world orchestra` writes, beside maps that look at nothing
and itself with the sound of other videos. How a moment is scored, and the threshold of
its maps, follow from its boxes; --kind sets both for the whole set. Boxes of MUSIC and
AudioSet are files of their own, for folders that are cut into seconds, `audio_frames`
and `video_frames`.
"""

import json
import os
from pathlib import Path

from keras_avrep.cli.arguments import add_crops, add_seed, add_threads, positive
from keras_avrep.cli.videos import VIDEOS

REJECTS = "rejects.jsonl"


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument("folder", help=f"{VIDEOS}; of localisers also of moments")
    parser.add_argument(
        "--num-clips", type=positive, help="averaged for each video (10)"
    )
    parser.add_argument(
        "--control",
        choices=("single_frame", "shuffled"),
        help="take motion, or its order, out of the clips",
    )
    add_localiser_arguments(parser.add_argument_group("localisers"))
    parser.add_argument("--out", help="JSON file; by default in the run folder")
    add_crops(parser)
    add_threads(parser)
    add_seed(parser)


def add_localiser_arguments(group):
    group.add_argument(
        "--solo", help="labelled solos to name clusters by: a folder or manifest"
    )
    group.add_argument(
        "--boxes", help="solotest.json, duettest.json or audioset_box.json"
    )
    group.add_argument(
        "--kind",
        choices=("solo", "duet", "composite"),
        help="what the set is: a solo is scored without classes; by default what the "
        "name of --boxes says, or each moment by itself",
    )
    group.add_argument(
        "--threshold",
        type=float,
        help="share of a map's maximum above which it is positive; 0.1 for solos, 0.2 "
        "for duets, 0.5 for composites",
    )


LOCALISER_OPTIONS = ("solo", "boxes", "kind", "threshold")


def run(args):
    from keras_avrep.cli.run_folder import is_run, load_run_model
    from keras_avrep.evaluation import is_localiser

    model, config = load_run_model(args.run)
    run = Path(args.run) if is_run(args.run) else None
    if run and not os.access(run, os.W_OK):
        # The results go to --out alone.
        run = None
    measure = measure_maps if is_localiser(model) else measure_features
    write_results(args, model, run, measure(args, model, run, config["clip"]))


def measure_features(args, model, run, clip):
    """Retrieval and probes."""
    from keras_avrep.cli.measuring import measure_model
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.videos import (
        TESTED,
        has_splits,
        manifest_cache,
        open_videos,
        reject_writer,
        train_and_test,
    )

    for name in LOCALISER_OPTIONS:
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} is for localisers; {args.run} is none.")
    cache = manifest_cache(args.run, args.out and Path(args.out).parent)
    manifest = open_videos(args.folder, cache, args.threads)
    tested = Path(args.run) / TESTED if is_of_training(args) else None
    train, test = train_and_test(manifest, args.seed, tested)
    rejects = rejects_file(args, run)
    of_training = run is not None and rejects == run / REJECTS
    if of_training:
        recall_rejects(manifest, rejects)
        if not has_splits(manifest) and not (tested and tested.is_file()):
            say(
                "The videos have no splits: those that it is tested with are among "
                "those that it has learned from, without their labels."
            )
    results = measure_model(
        model,
        run,
        train,
        test,
        clip,
        num_clips=10 if args.num_clips is None else args.num_clips,
        crops=args.crops,
        threads=args.threads,
        seed=args.seed,
        say=say,
        control=args.control,
        on_reject=reject_writer(manifest, rejects, say),
    )
    if of_training:
        count_rejects(run, len(manifest.rejects))
    return {**results, "crops": args.crops, "rejected": len(manifest.rejects)}


def is_of_training(args):
    """Whether a run is asked of the folder that it was trained on."""
    from keras_avrep.cli.run_folder import read_json

    trained_on = read_json(Path(args.run) / "run.json").get("folder")
    return trained_on == str(Path(args.folder).resolve())


def rejects_file(args, run):
    """The list of the run, for the videos it was trained on, else one of its own."""
    if run and is_of_training(args):
        return run / REJECTS
    result = result_file(args, run)
    return result.with_name(f"{result.stem}_{REJECTS}")


def recall_rejects(manifest, path):
    """Keep what training had to leave out of the same videos."""
    known = {r["path"] for r in manifest.rejects}
    lines = path.read_text().splitlines() if path.exists() else ()
    manifest.rejects += [r for r in map(json.loads, lines) if r["path"] not in known]


def count_rejects(run, count):
    """Put the count into the summary, which the report is written from."""
    from keras_avrep.cli.run_folder import read_json, update_summary

    if data := read_json(run / "summary.json").get("data"):
        update_summary(run, {"data": {**data, "rejected": count}})


def measure_maps(args, model, run, clip):
    """Boxes, and what is silent."""
    from keras_avrep.cli.measuring_sound import measure_localiser
    from keras_avrep.cli.progress import say

    if args.control:
        raise ValueError(
            "--control is for clips; a localiser is always measured with the sound of "
            "other videos too."
        )
    if args.num_clips is not None:
        raise ValueError("--num-clips is for clips; a localiser looks at moments.")
    if args.crops != 1:
        raise ValueError("--crops is for clips; a localiser looks at moments.")
    if args.threshold is not None and not 0 <= args.threshold < 1:
        raise ValueError(f"--threshold is {args.threshold}; give 0 to 1.")
    options = {name: getattr(args, name) for name in LOCALISER_OPTIONS}
    options |= {"threads": args.threads, "seed": args.seed}
    scores = measure_localiser(model, run, args.folder, clip, **options, say=say)
    return {"localisation": scores}


def result_file(args, run):
    """Where the results go."""
    suffix = f"_{args.control}" if args.control else ""
    return Path(args.out or (run or Path(".")) / f"evaluation{suffix}.json")


def write_results(args, model, run, results):
    """The results as JSON, and into the summary of the run."""
    from keras_avrep.cli.run_folder import read_json, update_summary, write_json

    write_json(result_file(args, run), {"control": args.control, **results})
    if run and not args.control:
        kind = type(model).__name__
        name = kind.lower()
        # A classifier's folder has no summary yet that says whose results they are.
        about = {"model": name, "titles": {name: kind}}
        before = read_json(run / "summary.json")
        about = {} if "model" in before else about
        update_summary(run, {**about, name: results})
