"""Train a classifier on labelled videos, starting from a pretrained model.

keras-avrep finetune runs/first videos --label class --out runs/classifier
keras-avrep finetune runs/first videos --linear --out runs/probe

`keras-avrep classify` and `keras-avrep export` take the folder that it writes.
Stop it with Ctrl-C; the same command goes on.
"""

from pathlib import Path

from keras_avrep.cli.videos import VIDEOS


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument("folder", help=f"{VIDEOS}, labelled")
    parser.add_argument("--out", required=True, help="folder of the classifier")
    parser.add_argument("--label", help="name of the label; by default the first")
    parser.add_argument("--linear", action="store_true", help="freeze the backbone")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--clips-per-epoch", type=int, default=10, help="of a video")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--flip", type=float, default=0.5, help="probability")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)


def run(args):
    import keras

    from keras_avrep.cli.pretrain import reject_writer, set_device
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import (
        CLIP_FILE,
        check_same_run,
        clip_arguments,
        load_run_model,
        write_json,
    )
    from keras_avrep.cli.videos import manifest_cache, open_videos, train_and_test
    from keras_avrep.evaluation import classification_accuracy, finetune
    from keras_avrep.models import VideoClassifier

    set_device(say=say)
    keras.utils.set_random_seed(args.seed)
    model, config = load_run_model(args.run)
    out = Path(args.out)
    cache = manifest_cache(args.run, out)
    manifest = open_videos(args.folder, cache, args.threads)
    train, test = train_and_test(manifest, args.seed)
    label = chosen_label(args.label, train + test)
    check_same_run(out, run_config(args, label, config["clip"]))
    classes = sorted({r.labels[label] for r in train})
    test = [r for r in test if r.labels[label] in classes]
    classifier = VideoClassifier.for_backbone(
        model.backbone, len(classes), train_backbone=not args.linear
    )
    clip = clip_arguments(config)
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
            batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            weight_decay=0.0 if args.linear else 1e-4,
            flip=args.flip,
            seed=args.seed,
            threads=args.threads,
            on_reject=on_reject,
            show=say,
        )
    except KeyboardInterrupt:
        say(f"\nSaved in {out}; run the same command again to resume.")
        raise
    accuracy = classification_accuracy(
        classifier,
        test,
        label,
        classes,
        workers=args.threads,
        on_reject=on_reject,
        **clip,
    )
    classifier.save_to_preset(str(out / "preset"))
    write_json(out / "preset" / CLIP_FILE, {**config["clip"], "classes": classes})
    result = {"label": label, "classes": classes, "accuracy": accuracy}
    result["rejected"] = len(manifest.rejects)
    write_json(out / "classifier.json", {**result, "clip": config["clip"]})
    say(f"accuracy on {len(test)} held-out videos: {accuracy:.1%}; saved in {out}")


def run_config(args, label, clip):
    """What must stay the same for a run to be resumed."""
    names = "linear", "epochs", "clips_per_epoch", "batch_size", "learning_rate"
    return {
        "pretrained": args.run,
        "folder": str(Path(args.folder).resolve()),
        "label": label,
        "clip": clip,
        **{name: getattr(args, name) for name in (*names, "flip", "seed")},
    }


def chosen_label(name, records):
    """The label to learn, checked."""
    shared = sorted(set.intersection(*(set(r.labels) for r in records)))
    if not shared:
        raise ValueError(
            "The videos have no labels: put each class into its own sub-folder, or "
            "add an annotations.jsonl."
        )
    if name is not None and name not in shared:
        raise ValueError(f"--label {name!r} is unknown; there are {shared}.")
    return name or shared[0]
