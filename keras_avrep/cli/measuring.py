"""What `evaluate` and `demo` measure of a model, and keep for the report."""

MAP_CLIPS = 4


def measure_model(
    model,
    folder,
    train,
    test,
    clip,
    *,
    num_clips,
    threads,
    seed,
    say,
    crops=1,
    control=None,
    on_reject=None,
):
    """Retrieval and probes; features, neighbours and maps go into a folder.

    Args:
        model: has a `representation`.
        folder: path, or `None` to keep nothing.
        train: list of `VideoRecord`, the gallery.
        test: list of `VideoRecord`, the queries.
        clip: dict of `num_frames`, `stride`, `size` and `view_size`.
        num_clips: int. Clips of a video.
        threads: int. Decoding threads.
        seed: int. Of the probe.
        say: called with each line of text.
        crops: int. Of each clip. Defaults to 1.
        control: see `keras_avrep.evaluation.embed_videos`. Nothing is kept of a
            control.
        on_reject: called with (record, reason) for videos that cannot be decoded.
            Defaults to `None`.

    Returns:
        What `keras_avrep.evaluation.evaluate_features` returns; without labels,
        `retrieval` holds how often a clip finds its own video.
    """
    from keras_avrep.cli.progress import Progress
    from keras_avrep.evaluation import embed_videos, evaluate_features, save_features

    shown = {
        "num_frames": clip["num_frames"],
        "stride": clip["stride"],
        "size": clip["view_size"],
    }
    options = {
        **shown,
        "num_clips": num_clips,
        "crops": crops,
        "workers": threads,
        "control": control,
        "seed": seed,
    }
    representation = model.representation
    gallery, queries = (
        embed_videos(representation, records, progress=Progress(text), **options)
        for records, text in ((train, "gallery videos"), (test, "test videos"))
    )
    if on_reject is not None:
        tell_rejects([*train, *test], [*gallery.rejects, *queries.rejects], on_reject)
    tell_unknown(train, test, say)
    results = evaluate_features(gallery, queries, seed)
    if not results["retrieval"]:
        few = gallery.labels and queries.labels
        what = "labels of one class only" if few else "no labels"
        say(f"The videos have {what}: a clip is asked to find its own video.")
        own = own_video_retrieval(representation, test, shown, crops, control, seed)
        results["retrieval"]["video"] = own
    show_results(results, say)
    if folder is not None and control is None:
        save_features(folder / "features.npz", gallery, queries)
        write_pictures(model, folder, gallery, queries, train, test, clip)
    return results


def tell_rejects(records, rejects, on_reject):
    """Say of each video that could not be embedded why."""
    by_id = {r.video_id: r for r in records}
    for reject in rejects:
        on_reject(by_id[reject["path"]], reject["reason"])


def tell_unknown(train, test, say):
    """Say how many videos are asked for a class that no video to compare with has."""
    for label in sorted(set.intersection(*(set(r.labels) for r in [*train, *test]))):
        known = {r.labels[label] for r in train}
        count = sum(r.labels[label] not in known for r in test)
        if count and len(known) > 1:
            say(
                f"{label}: {count} of {len(test)} test videos have a class that no "
                "gallery video has, and count as wrong"
            )


def write_pictures(model, folder, gallery, queries, train, test, clip):
    """Neighbours of some queries, and what in clips activates the model."""
    import numpy as np

    from keras_avrep.cli.export import real_clips
    from keras_avrep.data.files import replacing
    from keras_avrep.evaluation import aligned_clip_maps, write_gallery, write_units

    write_gallery(folder / "gallery.npz", gallery, queries, train, test, clip)
    shown = {**clip, "size": clip["view_size"]}
    if hasattr(model, "units"):
        write_units(folder / "units.npz", model, test, shown)
    if hasattr(model, "activation_maps"):
        frames = real_clips(test, shown, MAP_CLIPS)
        centre = model.backbone.map_centre
        maps = {
            kind: aligned_clip_maps(values, centre)
            for kind, values in model.activation_maps(frames).items()
        }
        with replacing(folder / "maps.npz") as temporary:
            np.savez_compressed(temporary, frames=frames, **maps)


def own_video_retrieval(representation, records, clip, crops, control, seed):
    """Recall of the last clip of a video, asked with its first one."""
    from keras_avrep.data import MediaError, read_sample
    from keras_avrep.evaluation import embed_clips, instance_retrieval
    from keras_avrep.evaluation.crops import frame_side, spread_crops
    from keras_avrep.evaluation.embed import apply_control
    from keras_avrep.views import UniformClips

    sampler = UniformClips(2, clip["num_frames"], clip["stride"])
    side = frame_side(clip["size"], crops)
    pairs = []
    for number, record in enumerate(records, 1):
        try:
            sample = read_sample(record, sampler(record), side, crops == 1)
        except MediaError:
            continue
        clips = apply_control(sample["video"], control, seed + number)
        features = embed_clips(representation, spread_crops(clips, clip["size"], crops))
        pairs.append(features.reshape(2, crops, -1).mean(axis=1))
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
