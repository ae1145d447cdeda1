"""Train a classifier on labelled videos, starting from a pretrained model.

keras-avrep finetune runs/first videos --label class --out runs/classifier
keras-avrep finetune runs/first videos --linear --out runs/probe

Videos without the label are left out, so that the folder may also hold those that the
model was pretrained on. `keras-avrep classify` and `keras-avrep export` take what it
writes.
Stop it with Ctrl-C; the same command goes on.
"""

from collections import Counter
from pathlib import Path

from keras_avrep.cli.argument_types import output_folder, share
from keras_avrep.cli.arguments import (
    above_zero,
    add_crops,
    add_seed,
    add_threads,
    positive,
)
from keras_avrep.cli.videos import VIDEOS


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument("folder", help=f"{VIDEOS}, some of them labelled")
    parser.add_argument(
        "--out", type=output_folder, required=True, help="folder of the classifier"
    )
    parser.add_argument(
        "--label", help="name of the label; by default the first by alphabet"
    )
    parser.add_argument(
        "--linear",
        action="store_true",
        help="freeze the backbone and train on features of unit length",
    )
    parser.add_argument("--epochs", type=positive, default=10, help="passes (10)")
    parser.add_argument(
        "--clips-per-epoch", type=positive, default=10, help="of each video (10)"
    )
    parser.add_argument("--batch-size", type=positive, help="64; 128 with --linear")
    parser.add_argument("--learning-rate", type=above_zero, help="0.1; 5 with --linear")
    parser.add_argument(
        "--flip",
        type=share,
        help="probability; by default that of the preset's own views, 0.5 where it "
        "has none",
    )
    add_crops(parser)
    add_threads(parser)
    add_seed(parser)


def run(args):
    import keras

    from keras_avrep.cli.pretrain import set_device
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import (
        CLIP_FILE,
        check_same_run,
        clip_arguments,
        interrupted_line,
        load_run_model,
        weights_digest,
        write_json,
    )
    from keras_avrep.cli.videos import (
        TESTED,
        has_splits,
        manifest_cache,
        open_videos,
        reject_writer,
        train_and_test,
    )
    from keras_avrep.evaluation import classification_accuracy, finetune
    from keras_avrep.models import VideoClassifier

    set_device(say=say)
    keras.utils.set_random_seed(args.seed)
    model, config = load_run_model(args.run)
    out = Path(args.out)
    cache = manifest_cache(args.run, out)
    manifest = open_videos(args.folder, cache, args.threads)
    train, test = train_and_test(manifest, args.seed, out / TESTED)
    label = chosen_label(args.label, train + test, manifest.notes)
    if leave_out_unlabelled(manifest, label, train + test, say):
        train, test = train_and_test(manifest, args.seed, out / TESTED)
    recipe = chosen_recipe(args, model)
    clip = clip_arguments(config)
    classes = sorted({r.labels[label] for r in train})
    start = {"pretrained_weights": weights_digest(model)[:12], "classes": classes}
    check_same_run(out, run_config(args, label, config["clip"], recipe) | start)
    if not has_splits(manifest):
        # A video that comes later must not move others from one side to the other.
        write_json(out / TESTED, [record.video_id for record in test])
    if len(classes) < 2:
        raise ValueError(
            f"All training videos have the same {label}, {classes[0]!r}; a classifier "
            "needs two classes at least."
        )
    test = of_known_classes(test, label, classes, say)
    classifier = VideoClassifier.for_backbone(
        model.backbone,
        len(classes),
        train_backbone=not args.linear,
        unit_features=args.linear,
    )
    on_reject = reject_writer(manifest, out / "rejects.jsonl", say)
    try:
        finetune(
            classifier,
            train,
            label,
            classes,
            out,
            num_frames=clip["num_frames"],
            stride=clip["stride"],
            size=config["clip"]["size"],
            view_size=clip["size"],
            epochs=args.epochs,
            clips_per_epoch=args.clips_per_epoch,
            weight_decay=0.0 if args.linear else 1e-4,
            **recipe,
            seed=args.seed,
            threads=args.threads,
            on_reject=on_reject,
            show=say,
        )
    except KeyboardInterrupt:
        say(interrupted_line(out))
        raise
    classifier.save_to_preset(str(out / "preset"))
    write_json(out / "preset" / CLIP_FILE, {**config["clip"], "classes": classes})
    scores = classification_accuracy(
        classifier,
        test,
        label,
        classes,
        top_k=(1, 5),
        crops=args.crops,
        workers=args.threads,
        on_reject=on_reject,
        **clip,
    )
    accuracy = scores[1]
    result = {"label": label, "classes": classes, "accuracy": accuracy}
    result["rejected"] = len(manifest.rejects)
    if len(classes) > 5:
        result["top_5"] = scores[5]
    write_json(out / "classifier.json", {**result, "clip": config["clip"]})
    top = f" (top 5 {scores[5]:.1%})" if "top_5" in result else ""
    say(f"accuracy on {len(test)} held-out videos: {accuracy:.1%}{top}; saved in {out}")


def leave_out_unlabelled(manifest, label, records, say):
    """Take videos without a label out of a manifest, if any of some records has none.

    Returns:
        bool, whether there was one.
    """
    from keras_avrep.cli.scan import lacking_labels

    lacking = lacking_labels(records).get(label)
    if lacking is not None:
        say(f"{label}: {lacking}; left out")
        manifest.records = [r for r in manifest.records if label in r.labels]
    return lacking is not None


def of_known_classes(test, label, classes, say):
    """Held-out videos that a classifier can be right about; others are told."""
    known = [r for r in test if r.labels[label] in classes]
    unknown = sorted({r.labels[label] for r in test} - set(classes))
    if unknown:
        say(
            f"{len(test) - len(known)} held-out videos are left out: no training video "
            f"is of their {label} ({', '.join(unknown)})"
        )
    if not known:
        raise ValueError(
            f"No held-out video has a {label} that a training video has; put some of "
            "each class into both."
        )
    return known


def chosen_recipe(args, model):
    """Batch size, rate and flip: what was asked for, or the recipe of the note.

    Reference: note of DCLR (arXiv:2207.05340), sections 6.1 and 6.2.
    """
    recipe = {
        "batch_size": 128 if args.linear else 64,
        "learning_rate": 5.0 if args.linear else 0.1,
        # A system that learned directions without flips would unlearn them here.
        "flip": getattr(getattr(model, "views", None), "flip", 0.5),
    }
    asked = {name: getattr(args, name) for name in recipe}
    return {**recipe, **{k: v for k, v in asked.items() if v is not None}}


def run_config(args, label, clip, recipe):
    """What must stay the same for a run to be resumed."""
    run = Path(args.run)
    return {
        "pretrained": str(run.resolve()) if run.exists() else args.run,
        "folder": str(Path(args.folder).resolve()),
        "label": label,
        "clip": clip,
        **{k: getattr(args, k) for k in ("linear", "epochs", "clips_per_epoch")},
        **recipe,
        "seed": args.seed,
    }


def chosen_label(name, records, notes=()):
    """The label to learn, checked.

    Args:
        name: of the label; `None` for the first that all records have, or else the
            one that most have.
        records: list of `VideoRecord`.
        notes: sentences, why folders are not taken as labels. Defaults to none.

    Raises:
        ValueError: if no record has such a label.
    """
    shared = sorted(set.intersection(*(set(r.labels) for r in records)))
    if name in shared or (name is None and shared):
        return name or shared[0]
    counts = Counter(sorted(label for r in records for label in r.labels))
    if counts and name is None:
        return counts.most_common(1)[0][0]
    if name in counts:
        return name
    if counts:
        raise ValueError(f"--label {name!r} is unknown; there are {list(counts)}.")
    if notes:
        raise ValueError(f"The videos have no labels: {'; '.join(notes)}.")
    raise ValueError(
        "The videos have no labels: put each class into its own sub-folder, or "
        "add an annotations.jsonl."
    )
