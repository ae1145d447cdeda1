"""Export a model for TF Serving, phones (LiteRT) and ONNX, and check it.

    keras-avrep export runs/first videos --out exported/first
    keras-avrep export runs/classifier videos

Each file is loaded again by its own runtime and compared with Keras on clips
of the given videos, those of the test split where there are splits; a float32
format that differs by more than the tolerance fails the command. int8 is calibrated
on other videos, of the training split. A fine-tuned classifier is written whole, to
`logits`, with the names of its classes in NAME_labels.txt. What finds sounds is written
with two inputs, a picture and the sound around it, as SavedModel and LiteRT; `--parts
localiser_log_mel` adds the same for sounds that are log-mel spectrograms already.
"""

import os
from pathlib import Path

from keras_avrep.cli.arguments import positive
from keras_avrep.cli.videos import VIDEOS

MOST_CLIPS = 32
CALIBRATION_CLIPS = 64


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument(
        "folder",
        help=f"{VIDEOS}, to compare and calibrate on; of localisers also of moments",
    )
    parser.add_argument("--out", help="folder; by default `export` in the run folder")
    parser.add_argument("--name", help="of the served model; by default its class's")
    parser.add_argument(
        "--version",
        type=positive,
        default=1,
        help="of the served model; a running server takes up a higher one (1)",
    )
    parser.add_argument(
        "--formats",
        nargs="+",
        metavar="FORMAT",
        choices=("saved_model", "litert", "litert_dynamic", "litert_int8", "onnx"),
        help="saved_model, litert, litert_dynamic, litert_int8, onnx; default all",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        metavar="PART",
        default=[],
        help="more that the system can export, as SavedModel and LiteRT; `all`",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1e-4,
        help="largest difference from Keras that a float32 file may have (0.0001)",
    )


def run(args):
    from keras_avrep.cli.export_localiser import compared_records, export_localiser
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import is_run, load_run_model, update_summary
    from keras_avrep.cli.videos import manifest_cache, open_videos
    from keras_avrep.evaluation import is_localiser

    model, config = load_run_model(args.run)
    out = Path(args.out) if args.out else Path(args.run) / "export"
    main = main_part(model, config)
    parts = chosen_parts(model, main, args.parts)
    cache = manifest_cache(args.run, out)
    if is_localiser(model):
        records = compared_records(args.folder, cache)
        results = export_localiser(model, config, records, out, args)
    else:
        compared, calibrating = divide(open_videos(args.folder, cache))
        clips = {"compared": compared, "calibrating": calibrating}
        results = export_video_model(model, config, parts, out, args, **clips)
    show_exports(results, say)
    if is_run(args.run) and os.access(args.run, os.W_OK):
        update_summary(args.run, {"export": results})
    say(f"everything is in {out}")


def export_video_model(model, config, parts, out, args, *, compared, calibrating):
    """Write a model of videos, its logits if it has any, and the parts asked for."""
    from keras_avrep.cli.run_folder import class_names, clip_arguments
    from keras_avrep.export import FORMATS, export_all

    labels = class_names(model, config)
    formats, clip = args.formats or FORMATS, clip_arguments(config)
    clips = real_clips(compared, clip)
    results = export_all(
        model,
        out,
        clips,
        name=args.name or type(model).__name__.lower(),
        formats=formats,
        tolerance=args.tolerance,
        calibration_clips=calibration_clips(calibrating, clip, formats),
        part=main_part(model, config),
        labels=labels,
        version=args.version,
    )
    return results + export_parts(model, parts, out, clips, args)


def main_part(model, config):
    """Which of its inference models is written first."""
    from keras_avrep.cli.run_folder import class_names

    named = class_names(model, config) is not None
    return "logits" if named else next(iter(model.inference_models()))


def chosen_parts(model, main, names):
    """The parts asked for beside the main one, refused before any is written."""
    if not names:
        return {}
    parts = {k: part for k, part in model.inference_models().items() if k != main}
    if names == ["all"]:
        return parts
    for name in names:
        if name not in parts:
            known = ", ".join(parts) or "none"
            raise ValueError(f"--parts {name!r} is unknown; this model has {known}.")
    return {name: parts[name] for name in names}


def export_parts(model, parts, out, clips, args):
    """Write parts and compare each with Keras."""
    from keras_avrep.export import export_part

    rows = []
    for part, part_model in parts.items():
        inputs = model.inference_inputs(part, clips[:4])
        name = f"{args.name or type(model).__name__.lower()}_{part}"
        rows += export_part(
            part_model,
            out,
            inputs,
            name=name,
            tolerance=args.tolerance,
            open_axes=model.open_axes(part),
            version=args.version,
        )
    return [{**row, "note": "outputs " + ", ".join(row["outputs"])} for row in rows]


def divide(manifest):
    """Records to compare on, and others to calibrate on where there are any."""
    from keras_avrep.data import split_records

    train, test = split_records(manifest.records)
    train = train or manifest.split("pretrain")
    # Of a single split, or a single video, all are compared.
    return (test or train), (train if test else [])


def calibration_clips(records, clip, formats):
    """Clips to calibrate int8 on; `None` where none are needed or usable."""
    if not records or "litert_int8" not in formats:
        return None
    clips = clips_of(records, clip, CALIBRATION_CLIPS)
    return clips if len(clips) else None


def real_clips(records, clip, count=MOST_CLIPS):
    """One clip from the middle of each of some videos, at least one."""
    clips = clips_of(records, clip, count)
    if not len(clips):
        raise ValueError("There is no usable video to check the export on.")
    return clips


def clips_of(records, clip, count):
    """uint8 `(N, T, H, W, 3)`, N up to `count`; bad videos are passed over.

    They are evenly spaced, so that every class has its share.
    """
    import numpy as np

    from keras_avrep.data import MediaError, read_sample, spaced_records
    from keras_avrep.views import UniformClips

    sampler = UniformClips(1, clip["num_frames"], clip["stride"])
    clips = []
    first = spaced_records(records, count)
    taken = {r.video_id for r in first}
    for record in [*first, *(r for r in records if r.video_id not in taken)]:
        try:
            sample = read_sample(record, sampler(record), clip["size"])
        except MediaError:
            continue
        clips.append(sample["video"][0])
        if len(clips) == count:
            break
    return np.asarray(clips)


def show_exports(results, say):
    """Print one line for each format."""
    for row in results:
        if row.get("max_abs_diff") is None:
            say(f"{row['format']}: {row.get('note', 'not written')}")
            continue
        line = (
            f"{row['format']}: {row['bytes'] / 1e6:.2f} MB, differs by at most "
            f"{row['max_abs_diff']:.1e}"
        )
        if row.get("agrees") is False:
            line += " (too much)"
        if row.get("latency_ms") is not None:
            line += f", {row['latency_ms']:.1f} ms a clip"
        if row.get("retrieval_agreement") is not None:
            line += f", same neighbour {row['retrieval_agreement']:.0%}"
        if row.get("class_agreement") is not None:
            line += f", same class {row['class_agreement']:.0%}"
        say(line)
