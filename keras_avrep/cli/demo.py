"""Everything at once: videos, two models, their comparison, export and report.

    keras-avrep demo --out runs/demo
    keras-avrep demo --out runs/mine --data my_videos

Renders the world `scenes` (or takes your folder), pretrains a system and the plain
contrast it is compared with, evaluates both on held-out videos, exports the first,
and writes `report.html` and `summary.json`. Fails after that where a float32 file
differs from Keras by more than rounding. About 10 minutes on two CPU cores
that compute in bfloat16, longer on others. Run the same command again to resume.
"""

import os
import time
from pathlib import Path

from keras_avrep.cli.arguments import above_zero, add_seed, add_threads, positive
from keras_avrep.cli.videos import VIDEOS

NUM_CLIPS = 4
COUNTS = {"pretrain": 1024, "train": 512, "test": 256}
BASELINE = "baseline"


def add_arguments(parser):
    parser.add_argument("--out", default="runs/demo", help="run folder")
    parser.add_argument("--data", help=f"{VIDEOS}, instead of a rendering")
    parser.add_argument("--model", default="dclr", help="system to train")
    parser.add_argument(
        "--steps", type=positive, default=420, help="training steps of each model (420)"
    )
    parser.add_argument(
        "--batch-size", type=positive, default=16, help="videos of a step (16)"
    )
    parser.add_argument(
        "--learning-rate", type=above_zero, default=2e-3, help="the highest (0.002)"
    )
    add_threads(parser)
    add_seed(parser)


def run(args):
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import check_same_run, read_json, write_json
    from keras_avrep.report import write_report

    began = time.time()
    out = Path(args.out)
    config = {
        "data": args.data and str(Path(args.data).expanduser().resolve()),
        "batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "model": args.model,
        "seed": args.seed,
        "steps": args.steps,
    }
    check_same_run(out, config)
    # A resumed demo counts the time of all its parts.
    before = read_json(out / "interrupted.json").get("seconds", 0)
    try:
        summary = demonstrate(args, out, say)
    except KeyboardInterrupt:
        seconds = before + time.time() - began
        write_json(out / "interrupted.json", {"seconds": seconds})
        say(f"\nSaved in {out}; run the same command again to go on.")
        raise
    (out / "interrupted.json").unlink(missing_ok=True)
    summary["seconds"] = before + time.time() - began
    write_json(out / "summary.json", summary)
    path = write_report(out)
    say(f"\nDone in {summary['seconds']:.0f} s. Open {path}")
    check_agreement(summary["export"], out / "export")


def demonstrate(args, out, say):
    """All stages; returns the summary."""
    from keras_avrep.cli.pretrain import chosen_preset, reject_writer, set_device
    from keras_avrep.cli.run_folder import describe_data, versions
    from keras_avrep.models import system_of

    preset = chosen_preset(args.model, None)
    if not hasattr(system_of(preset), "baseline"):
        raise ValueError(
            f"--model {args.model} finds what sounds, which the demo does not show; "
            "see notebooks/03_find_what_sounds.ipynb."
        )
    policy = set_device(say=say)
    manifest = prepare_data(args, out)
    on_reject = reject_writer(manifest, out / "rejects.jsonl", say)
    splits = divide(manifest, args.seed)
    clip = preset_clip(preset)
    system = system_of(preset)
    main = system.__name__.lower()
    data = describe_data(manifest, out, parts_of(splits))
    summary = {"data": data, "train": {}}
    summary["titles"] = {main: system.__name__}
    for name, changes in {main: None, BASELINE: system.baseline}.items():
        say(f"\n=== {name} ===")
        model, training = pretrain_one(
            args, out / name, splits, preset, changes, clip, on_reject, say
        )
        summary["train"][name] = training
        summary[name] = evaluate_one(
            model, out / name, splits, clip, args, on_reject, say
        )
        if name == main:
            trained = model
    summary["train"] = {**summary["train"][main], **summary["train"]}
    say("\n=== export ===")
    summary["export"] = export_one(trained, out / "export", splits, clip, main, say)
    summary["data"]["rejected"] = len(manifest.rejects)
    summary["seed"] = args.seed
    summary["versions"] = versions()
    summary["device"] = {"name": policy.device, "precision": policy.precision}
    summary["device"]["cores"] = os.cpu_count()
    return summary


def export_one(model, folder, splits, clip, name, say):
    """All formats, or all but those that cannot hold the model: the report goes on."""
    from keras_avrep.cli.export import calibration_clips, real_clips, show_exports
    from keras_avrep.cli.run_folder import write_json
    from keras_avrep.export import FORMATS, ExportError, export_all

    clips = real_clips(splits[2], clip)
    options = {
        "name": name,
        "calibration_clips": calibration_clips(splits[1], clip, FORMATS),
    }
    try:
        rows = export_all(model, folder, clips, formats=FORMATS, **options)
    except (ExportError, ValueError, RuntimeError):
        rows = []
        for kind in FORMATS:
            try:
                rows += export_all(model, folder, clips, formats=[kind], **options)
            except ExportError as error:
                differs = f"differs from Keras by {error.row['max_abs_diff']:.3g}"
                note = f"written, but {differs}, too much"
                rows.append({**error.row, "agrees": False, "note": note})
            except (ValueError, RuntimeError) as error:
                rows.append({"format": kind, "note": f"not written: {error}"})
        write_json(folder / "export.json", rows)
    show_exports(rows, say)
    return rows


def check_agreement(rows, folder):
    """Fail, once all is reported, where a file does not compute what Keras does.

    Raises:
        ExportError: naming each such file.
    """
    from keras_avrep.export import ExportError

    wrong = [row for row in rows if row.get("agrees") is False]
    if wrong:
        told = "; ".join(f"{folder / row['path']}: {row['note']}" for row in wrong)
        raise ExportError(f"{told}. Do not use what differs; all else is complete.")


def preset_clip(name):
    """The preset's clips, at the size the representation takes."""
    from keras_avrep.models import system_of

    preset = system_of(name).presets[name]
    return {**preset["clip"], "view_size": preset["views"]["size"]}


def prepare_data(args, out):
    """Render or scan; returns the manifest."""
    from keras_avrep.cli.progress import Progress
    from keras_avrep.cli.videos import open_videos
    from keras_avrep.worlds import ScenesWorld, render_world

    folder = args.data
    if folder is None:
        folder = out / "data"
        world = ScenesWorld(seed=args.seed)
        render_world(world, folder, COUNTS, Progress("rendered"))
    return open_videos(folder, out / "manifest_cache.json", args.threads)


def divide(manifest, seed):
    """Records to pretrain on, for the gallery, and for the queries."""
    from keras_avrep.cli.training_run import check_enough
    from keras_avrep.data import split_records

    train, test = split_records(manifest.records, seed=seed)
    pretraining = manifest.split("pretrain") or train
    check_enough(pretraining)
    if len(test) < 2:
        raise ValueError("There are too few videos to hold some out for the test.")
    return pretraining, train, test


def parts_of(splits):
    """The records of `divide` by what the summary calls them."""
    return dict(zip(("trained_on", "gallery", "test"), splits, strict=True))


def pretrain_one(args, folder, splits, preset, changes, clip, on_reject, say):
    """Train one of the two models, or take it up where it is."""
    from keras_avrep.cli.run_folder import write_json
    from keras_avrep.cli.training_run import build_model, train

    records = splits[0]
    batch_size = min(args.batch_size, len(records))
    model = build_model(
        preset,
        num_videos=len(records),
        batch_size=batch_size,
        steps=args.steps,
        seed=args.seed,
        changes=changes,
    )
    # Each model is a run of its own for `evaluate`, `embed` and `export`.
    run = {"preset": preset, "clip": clip, "changes": changes, "seed": args.seed}
    write_json(folder / "run.json", run)
    training = train(
        model,
        records,
        folder,
        clip=clip,
        steps=args.steps,
        batch_size=batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        threads=args.threads,
        checkpoint_every=50,
        on_reject=on_reject,
        show=say,
    )
    write_json(folder / "training.json", training)
    return model, training


def evaluate_one(model, folder, splits, clip, args, on_reject, say):
    """What `measure_model` measures, and the most telling label once more, flat."""
    from keras_avrep.cli.measuring import measure_model

    results = measure_model(
        model,
        folder,
        *splits[1:],
        clip,
        num_clips=NUM_CLIPS,
        threads=args.threads,
        seed=args.seed,
        say=say,
        on_reject=on_reject,
    )
    first = next(iter(results["retrieval"].values()))
    chosen = results["retrieval"].get("motion", first)
    flat = {k: chosen[k] for k in ("r_at_1", "r_at_5", "r_at_10") if k in chosen}
    results["retrieval"] = {**flat, **results["retrieval"]}
    return results
