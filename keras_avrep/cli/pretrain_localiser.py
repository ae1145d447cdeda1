"""Training of what finds sounds, from a folder of solos and one of mixtures.

Both are folders of videos, or of moments in a layout that is known: synthetic
mixtures, or MUSIC cut into seconds.
"""

from pathlib import Path


def pretrain_localiser(args):
    """Train a localiser in its phases and save it, with names of its clusters.

    Args:
        args: what `pretrain` has parsed.
    """
    from keras_avrep.cli.pretrain import set_device
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import check_same_run, interrupted_line
    from keras_avrep.training import train_phases

    set_device(args.jit_compile, args.precision, args.deterministic, say)
    out = Path(args.out)
    config = run_config(args)
    check_same_run(out, config)
    folders = {"solo": args.folder, "mixed": args.mixed}
    sounding = {k: sounding_records(f, out, k, args) for k, f in folders.items() if f}
    classes, labels = known_classes(args, sounding["solo"][1])
    model = build(args, config)
    check_enough(sounding, model)
    sets = moments_of(model, sounding, config, args, out)
    phases = model.training_phases(
        sets["solo"],
        sets.get("mixed"),
        labels=labels,
        seed=args.seed,
        **config["schedule"],
    )
    try:
        result = train_phases(
            phases,
            out,
            clips_per_step=sets["solo"].batch_size,
            checkpoint_every=args.checkpoint_every,
            threads=args.threads,
            jit_compile=args.jit_compile,
            after_phase=keep_for_solos(model, phases, out, config["clip"]),
            show=say,
        )
    except KeyboardInterrupt:
        say(interrupted_line(out))
        raise
    names = classes or cluster_names(model, sets["solo"], sounding["solo"][1])
    save(model, out, config["clip"], names)
    write_summary(model, out, args, sounding, result)
    say(
        f"{out}/preset holds the model, {out}/solo that for videos with one source; "
        f"next: keras-avrep localize --preset {out} --video VIDEO --out sounding.mp4"
    )


def run_config(args):
    """What must stay the same for a run to be resumed."""
    from keras_avrep.cli.system_options import system_changes
    from keras_avrep.models import system_of

    system = system_of(args.preset)
    preset = system.presets[args.preset]
    changes = system_changes(system, args.set)
    asked = {
        "solo_epochs": args.solo_epochs,
        "mixed_epochs": args.mixed_epochs,
        "learning_rate": args.learning_rate,
        "mismatch_grid": 2 if args.composites else None,
    }
    schedule = preset["schedule"] | changes.pop("schedule", {})
    schedule |= {k: v for k, v in asked.items() if v is not None}
    if args.init and (changes or args.loss_weights):
        raise ValueError(
            "--init brings its own arguments and loss weights; beside it --set takes "
            "schedule.NAME alone."
        )
    if args.solo_epochs == 0 and not (args.init and args.mixed):
        raise ValueError(
            "--solo-epochs 0 leaves stage two alone: give --mixed to learn from, and "
            "--init, a model that has learned from solos."
        )
    if args.solo_epochs == 0 and args.use_labels:
        raise ValueError(
            "--use-labels is for what solos teach; with --solo-epochs 0 the classes "
            "are those of --init; leave it out."
        )
    return {
        "preset": args.preset,
        "backbone": args.backbone,
        "init": args.init,
        "folder": str(Path(args.folder).resolve()),
        "mixed": args.mixed and str(Path(args.mixed).resolve()),
        "clip": preset["clip"],
        "schedule": within(schedule, args.solo_epochs),
        "set": changes or None,
        "loss_weights": args.loss_weights,
        "num_classes": args.num_classes,
        "use_labels": args.use_labels,
        "batch_size": args.batch_size,
        "seed": args.seed,
    }


def within(schedule, solo_epochs):
    """The schedule with nothing that is to begin after the epochs asked for."""
    if solo_epochs is None:
        return schedule
    begins = {k: v for k, v in schedule.items() if k.startswith("first_")}
    return schedule | {k: min(v, solo_epochs) for k, v in begins.items()}


def sounding_records(folder, out, kind, args):
    """The manifest of a place, and its videos with sound or its moments."""
    from keras_avrep.cli.pretrain import training_records
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.scan import describe_moments
    from keras_avrep.cli.videos import open_videos, read_moments

    if (moments := read_moments(folder)) is not None:
        describe_moments(moments, say)
        return moments, training_records(moments)
    cache = out / f"{kind}_manifest_cache.json"
    manifest = open_videos(folder, cache, args.threads)
    silent = [r for r in manifest.records if not r.has_audio]
    for record in silent:
        reason = "it has no sound, so nothing in it can be found by its sound"
        manifest.rejects.append({"path": record.video_id, "reason": reason})
    if silent:
        say(f"left out: {len(silent)} videos without sound")
    return manifest, [r for r in training_records(manifest) if r.has_audio]


def known_classes(args, records):
    """With --use-labels the names of classes and the class of each video.

    The number of classes is set by it, if it was not given.

    Args:
        args: what `pretrain` has parsed.
        records: list of `VideoRecord`, or of `MomentRecord`, with one source.

    Returns:
        List of names and list of ints; `None` and `None` without --use-labels.

    Raises:
        ValueError: if a video has no label, or the number of classes is another.
    """
    if not args.use_labels:
        return None, None
    labels = [r.labels.get("class") for r in videos_of(records)]
    if None in labels:
        raise ValueError(
            f"--use-labels needs a class for every video; {labels.count(None)} of "
            f"{len(labels)} in {args.folder} have none: put each into a folder named "
            "after its class."
        )
    classes = sorted(set(labels))
    if args.num_classes not in (None, len(classes)):
        raise ValueError(
            f"{args.folder} has {len(classes)} classes, --num-classes is "
            f"{args.num_classes}; leave it out with --use-labels."
        )
    args.num_classes = len(classes)
    return classes, [classes.index(label) for label in labels]


def build(args, config):
    """A fresh model of the preset, with what was asked for."""
    import keras

    from keras_avrep.cli.run_folder import starting_backbone
    from keras_avrep.models import system_of

    keras.utils.set_random_seed(args.seed)
    system = system_of(args.preset)
    if args.init:
        return started_from(args, system)
    changes = {"seed": args.seed, **(config["set"] or {})}
    if args.loss_weights:
        changes["loss_weights"] = args.loss_weights
    if args.num_classes:
        changes["num_classes"] = args.num_classes
    if args.backbone:
        changes["backbone"] = starting_backbone(args.backbone, system)
    return system.from_preset(args.preset, load_weights=False, **changes)


def started_from(args, system):
    """The model of another run or preset, to go on with."""
    from keras_avrep.cli.run_folder import load_run_model

    if args.backbone:
        raise ValueError("--init has a backbone of its own; leave out --backbone.")
    model, _ = load_run_model(args.init)
    if type(model) is not system:
        raise ValueError(
            f"--init {args.init} holds {type(model).__name__}, not {system.__name__}."
        )
    if args.num_classes not in (None, model.num_classes):
        raise ValueError(
            f"--init {args.init} has {model.num_classes} classes; leave --num-classes."
        )
    return model


def keep_for_solos(model, phases, out, clip):
    """Saves the model to find one source with, when correspondence has ended.

    Classes that are learned after it cost a part of its map; the notes score solos by
    the model of before.

    Args:
        model: `keras_avrep.models.LocalisationTask`.
        phases: list of `keras_avrep.training.Phase`.
        out: path of the run; the model goes to its folder `solo`.
        clip: dict, as of `save`.

    Returns:
        What `keras_avrep.training.train_phases` calls after a phase.

    Reference: CSOL (arXiv:2112.11749), note section 5.
    """
    fitting = [p for p in phases if p.name.startswith("correspondence")]

    def after(phase):
        if phase in fitting[-1:]:
            save(model, out / "solo", clip, None)

    return after


def check_enough(sounding, model):
    """Raise if there are fewer videos than classes, or nothing to contrast."""
    counts = {kind: len(videos_of(r)) for kind, (_, r) in sounding.items()}
    count = counts["solo"]
    if count < max(4, model.num_classes):
        raise ValueError(
            f"There are {count} usable videos with sound; {model.num_classes} classes "
            "need as many or more. Give more videos or a smaller --num-classes."
        )
    if counts.get("mixed", 4) < 4:
        raise ValueError(
            f"--mixed has {counts['mixed']} usable videos with sound; at least 4 are "
            "needed."
        )


def videos_of(records):
    """A record of each video, in the order of the `record` of a batch."""
    from keras_avrep.data import MomentRecord, by_video

    if records and isinstance(records[0], MomentRecord):
        return [moments[0] for moments in by_video(records)]
    return records


def moments_of(model, sounding, config, args, out):
    """What to train on, by kind; videos that fail later are listed."""
    from keras_avrep.cli.pretrain import reject_writer
    from keras_avrep.cli.progress import say
    from keras_avrep.data import moment_set

    sets = {}
    for kind, (manifest, records) in sounding.items():
        name = "rejects.jsonl" if kind == "solo" else f"{kind}_rejects.jsonl"
        sets[kind] = moment_set(
            records,
            model.training_sampler(),
            size=config["clip"]["training_size"],
            view_size=config["clip"]["size"],
            batch_size=args.batch_size,
            seed=args.seed,
            on_reject=reject_writer(manifest, out / name, say),
        )
    return sets


def cluster_names(model, solo, records):
    """The class that each cluster stands for, `None` if solos have no labels.

    Args:
        model: trained `LocalisationTask`.
        solo: `keras_avrep.data.MomentSet` of the records.
        records: list of `VideoRecord`, or of `MomentRecord`.

    Returns:
        List of names, `None` for a cluster without videos; or `None`.
    """
    import numpy as np

    from keras_avrep.evaluation import MomentMaps, dominant_clusters, match_clusters

    labels = [r.labels.get("class") for r in videos_of(records)]
    if None in labels or len(set(labels)) < 2:
        return None
    classes = sorted(set(labels))
    ids, truth = [], []
    for batch in solo.each_once():
        inputs = model.inference_inputs("localiser", batch)
        found = model.predict_on_batch(inputs)
        maps = MomentMaps([], found["class_maps"], found["sounding_map"][..., 0])
        ids.append(dominant_clusters(maps))
        truth += [classes.index(labels[p]) for p in batch["record"]]
    mapping = match_clusters(
        np.concatenate(ids), truth, model.num_classes, len(classes)
    )
    return [classes[k] if k >= 0 else None for k in mapping]


def save(model, out, clip, names):
    """The preset, with what a moment is and what clusters are called."""
    from keras_avrep.cli.run_folder import CLIP_FILE, write_json

    preset = out / "preset"
    model.save_to_preset(str(preset))
    write_json(preset / CLIP_FILE, {**clip, "cluster_names": names})


def write_summary(model, out, args, sounding, result):
    """What the report says of the run."""
    from keras_avrep.cli.run_folder import (
        describe_data,
        update_summary,
        versions,
        write_json,
    )

    write_json(out / "training.json", result)
    name = type(model).__name__
    data = {kind: describe_data(m, out) for kind, (m, _) in sounding.items()}
    summary = {
        "model": name.lower(),
        "titles": {name.lower(): name},
        "data": data.pop("solo"),
        "train": result,
        "seed": args.seed,
        "versions": versions(),
    }
    update_summary(out, {**summary, **data})
