"""Learn from videos without labels.

    keras-avrep pretrain videos --out runs/first --steps 2000
    keras-avrep pretrain videos --out runs/plain --loss-weights vv=1
    keras-avrep pretrain videos --out runs/late --set mine_after=500
    keras-avrep pretrain videos --out runs/warm --backbone presets/r2plus1d_18
    keras-avrep pretrain videos --out runs/regions --model const_cl --boxes
    keras-avrep pretrain solos --mixed duets --model csol --out runs/sounds
    keras-avrep pretrain solos --mixed duets --model ier --set order=figure \\
        --set schedule.range_db=20 --out runs/levels
    keras-avrep pretrain solos --mixed wild --model csol --init runs/sounds \\
        --solo-epochs 0 --mixed-epochs 1 --out runs/wild

Run the same command again to resume after Ctrl-C or a crash. If the videos have
splits, those of `pretrain` are used, or of `train` where there are none; otherwise all
that are not held out.

Known regions, by --boxes, stand in `annotations.jsonl` of the folder, a line a video:
{"video": path, "boxes": [[[y1, x1, y2, x2], ...], ...]}, for each thing a box a frame,
from 0 to 1, or null where it is not seen. Copies that `prepare` makes have them, too.

Systems that find what sounds learn from two folders: one of videos with a single
source of sound, and, by --mixed, one of videos with several. Either may be cut into
moments instead: as MUSIC is, `audio_frames` and `video_frames` in one folder, or as
synthetic mixtures are, and as `keras-avrep render --mixtures` writes them.
"""

import argparse
from pathlib import Path

from keras_avrep.cli.argument_types import loss_weights, output_folder
from keras_avrep.cli.arguments import (
    above_zero,
    add_seed,
    add_threads,
    not_negative,
    positive,
)
from keras_avrep.cli.videos import VIDEOS, reject_writer


def add_arguments(parser):
    parser.add_argument(
        "folder", help=f"{VIDEOS}; of localisers also a folder of moments"
    )
    parser.add_argument("--out", type=output_folder, required=True, help="run folder")
    parser.add_argument(
        "--model", default="dclr", help="system to train, by its smallest preset"
    )
    parser.add_argument("--preset", help="another preset; see `presets`")
    parser.add_argument(
        "--backbone",
        help="preset whose trained network for video or pictures to start from, as "
        "`convert` writes it",
    )
    parser.add_argument(
        "--batch-size", type=positive, default=32, help="videos of a step (32)"
    )
    parser.add_argument(
        "--learning-rate", type=above_zero, help="the highest; by default the preset's"
    )
    add_model_arguments(parser)
    add_video_arguments(parser.add_argument_group("systems that learn from video"))
    add_sound_arguments(parser.add_argument_group("systems that find what sounds"))
    parser.add_argument(
        "--checkpoint-every", type=positive, default=100, help="steps (100)"
    )
    add_threads(parser)
    add_seed(parser)
    parser.add_argument(
        "--precision", help="Keras dtype policy; chosen for the device by default"
    )
    parser.add_argument(
        "--jit-compile",
        action=argparse.BooleanOptionalAction,
        help="XLA; chosen for the device by default",
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="bit-equal runs, a little slower"
    )


def add_model_arguments(parser):
    from keras_avrep.cli.system_options import add_system_arguments

    parser.add_argument(
        "--loss-weights",
        type=loss_weights,
        help="for example vv=1,vs=1,sv=1; of systems that learn from video a term left "
        "out is not computed, of the others it keeps its weight",
    )
    add_system_arguments(parser)


def add_video_arguments(group):
    from keras_avrep.cli.optimizer_options import add_optimizer_arguments

    group.add_argument("--steps", type=positive, help="of training, 2000 by default")
    add_optimizer_arguments(group)
    group.add_argument("--num-frames", type=positive, help="frames of a clip")
    group.add_argument(
        "--stride",
        type=positive,
        help="frames from one to the next; of systems that draw it, only of the clips "
        "they are measured with",
    )
    group.add_argument("--size", type=positive, help="pixels of a decoded clip")
    group.add_argument("--view-size", type=positive, help="pixels of a view")
    group.add_argument(
        "--boxes",
        action="store_true",
        default=None,
        help="contrast known regions, not random ones",
    )
    group.add_argument(
        "--probe-every",
        type=positive,
        help="steps from one kNN accuracy on labelled videos to the next",
    )
    group.add_argument("--tensorboard", help="folder for TensorBoard logs")


def add_sound_arguments(group):
    group.add_argument(
        "--mixed", help="videos or moments with several sources: a folder or manifest"
    )
    group.add_argument(
        "--num-classes",
        type=positive,
        help="about how many kinds of things sound, rather too many; by default the "
        "preset's",
    )
    group.add_argument(
        "--use-labels",
        action="store_true",
        default=None,
        help="learn the classes that videos with one source are labelled with, not "
        "clusters of them",
    )
    group.add_argument(
        "--solo-epochs",
        type=not_negative,
        help="passes over videos with one source; 0 for stage two alone, with --init",
    )
    group.add_argument("--init", help="run or preset to start from")
    group.add_argument(
        "--mixed-epochs", type=positive, help="passes over videos with several"
    )
    group.add_argument(
        "--composites",
        action="store_true",
        default=None,
        help="the pictures of --mixed are made of 2 x 2 others",
    )


VIDEO_OPTIONS = (
    *("steps", "optimizer", "weight_decay", "num_frames", "stride"),
    *("size", "view_size", "boxes", "probe_every", "tensorboard"),
)
SOUND_OPTIONS = (
    *("mixed", "num_classes", "use_labels", "solo_epochs", "init", "mixed_epochs"),
    "composites",
)


def run(args):
    from keras_avrep.models import LOCALISERS, system_of

    args.preset = chosen_preset(args.model, args.preset)
    system = system_of(args.preset)
    if system in LOCALISERS:
        from keras_avrep.cli.pretrain_localiser import pretrain_localiser

        refuse(args, VIDEO_OPTIONS, system)
        pretrain_localiser(args)
        return
    refuse(args, SOUND_OPTIONS, system)
    args.steps = args.steps or 2000
    pretrain_videos(args)


def refuse(args, names, system):
    """Options of other systems are a mistake, not to be passed over."""
    for name in names:
        if getattr(args, name) is not None:
            option = "--" + name.replace("_", "-")
            raise ValueError(f"{option} is not for {system.__name__}.")


def pretrain_videos(args):
    """Train a system that learns from video."""
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import (
        check_same_run,
        describe_data,
        interrupted_line,
        update_summary,
        versions,
        write_json,
    )
    from keras_avrep.cli.training_run import build_model, check_enough, train
    from keras_avrep.cli.videos import open_videos

    set_device(args.jit_compile, args.precision, args.deterministic, say)
    out = Path(args.out)
    config = run_config(args)
    check_same_run(out, config)
    manifest = open_videos(args.folder, out / "manifest_cache.json", args.threads)
    records = training_records(manifest)
    check_enough(records)
    clip = config["clip"]
    changes = dict(config["set"])
    if args.loss_weights:
        changes["loss_weights"] = args.loss_weights
    batch_size = min(args.batch_size, len(records))
    model = build_model(
        args.preset,
        num_videos=len(records),
        batch_size=batch_size,
        steps=args.steps,
        seed=args.seed,
        view_size=clip["view_size"],
        changes=changes,
        backbone=args.backbone,
    )
    sampler = chosen_sampler(args.boxes, model, clip, manifest)
    on_reject = reject_writer(manifest, out / "rejects.jsonl", say)
    try:
        result = train(
            model,
            records,
            out,
            clip=clip,
            steps=args.steps,
            batch_size=batch_size,
            seed=args.seed,
            sampler=sampler,
            optimizer=config["optimizer"],
            threads=args.threads,
            checkpoint_every=args.checkpoint_every,
            jit_compile=args.jit_compile,
            on_reject=on_reject,
            callbacks=[
                *tensorboard_callbacks(args.tensorboard),
                *probe_callbacks(args.probe_every, manifest, clip, out, say),
            ],
            show=say,
        )
    except KeyboardInterrupt:
        say(interrupted_line(out))
        raise
    write_json(out / "training.json", result)
    name = type(model).__name__
    summary = {
        "model": name.lower(),
        "titles": {name.lower(): name},
        "data": describe_data(manifest, out, {"trained_on": records}),
        "train": result,
        "seed": args.seed,
        "versions": versions(),
    }
    update_summary(out, summary)
    say(f"{out}/preset holds the model; next: keras-avrep evaluate {out} VIDEOS")


def chosen_preset(model, preset):
    """The name of a preset: the one asked for, or the first of a system."""
    from keras_avrep.models import all_systems, preset_names, system_named, system_of

    if preset is not None:
        if system_of(preset) is None:
            known = ", ".join(preset_names())
            raise ValueError(f"--preset {preset!r} is unknown; there are {known}.")
        return preset
    system = system_named(model)
    if system is None:
        known = ", ".join(system.__name__ for system in all_systems())
        raise ValueError(f"--model {model!r} is unknown; there are {known}.")
    return next(iter(system.presets))


def run_config(args):
    """What must stay the same for a run to be resumed."""
    from keras_avrep.cli.optimizer_options import run_recipe
    from keras_avrep.cli.system_options import system_changes
    from keras_avrep.models import system_of

    system = system_of(args.preset)
    preset = system.presets[args.preset]
    clip = dict(preset["clip"])
    for name in ("num_frames", "stride", "size"):
        clip[name] = getattr(args, name) or clip[name]
    clip["view_size"] = args.view_size or preset["views"]["size"]
    return {
        "preset": args.preset,
        "backbone": args.backbone,
        "folder": str(Path(args.folder).resolve()),
        "clip": clip,
        "loss_weights": args.loss_weights,
        "set": system_changes(system, args.set),
        "batch_size": args.batch_size,
        "optimizer": run_recipe(
            preset.get("optimizer"),
            args.optimizer,
            args.learning_rate,
            args.weight_decay,
        ),
        "seed": args.seed,
        "steps": args.steps,
        "boxes": args.boxes,
    }


def chosen_sampler(boxes, model, clip, manifest):
    """Clips of a system, with known boxes if they are asked for."""
    from keras_avrep.data import BoxedClips, read_box_tracks

    sampler = model.training_sampler(clip)
    if not boxes:
        return sampler
    if not model.takes_boxes:
        raise ValueError(f"--boxes is not for {type(model).__name__}.")
    read = read_box_tracks(manifest)
    manifest.rejects += read.rejects
    return BoxedClips(sampler, read.tracks)


def training_records(manifest):
    """The records to learn from: the split meant for it, or all not held out."""
    from keras_avrep.data import is_held_out

    for split in ("pretrain", "train"):
        if records := manifest.split(split):
            return records
    rest = [record for record in manifest.records if not is_held_out(record)]
    return rest or manifest.records


def set_device(jit_compile=None, precision=None, deterministic=False, say=print):
    """Precision and determinism, said in one line; returns the policy."""
    import keras

    from keras_avrep.training import choose_device_policy, make_deterministic

    policy = choose_device_policy(jit_compile, precision)
    keras.config.set_dtype_policy(policy.precision)
    say(str(policy))
    if deterministic:
        make_deterministic()
    return policy


def tensorboard_callbacks(folder):
    """The TensorBoard callback, or none."""
    from keras_avrep.training import TensorBoardScalars

    return [] if folder is None else [TensorBoardScalars(folder)]


def probe_callbacks(every, manifest, clip, out, say, most=128):
    """The kNN probe on some labelled videos, kept for the report, or none."""
    if every is None:
        return []
    from keras_avrep.data import spaced_records, split_records
    from keras_avrep.evaluation import embed_videos, evaluate_features
    from keras_avrep.training import NearestNeighbourProbe

    parts = split_records(manifest.records)
    train, test = (spaced_records(part, most) for part in parts)
    if not (train and test and train[0].labels):
        raise ValueError("--probe-every needs labelled videos.")
    options = {
        "num_clips": 1,
        "num_frames": clip["num_frames"],
        "stride": clip["stride"],
        "size": clip["view_size"],
    }

    def evaluate(representation):
        gallery = embed_videos(representation, train, **options)
        queries = embed_videos(representation, test, **options)
        probes = evaluate_features(gallery, queries)["probe"]
        return {label: numbers["knn"] for label, numbers in probes.items()}

    return [NearestNeighbourProbe(evaluate, every, say, path=out / "probe.csv")]
