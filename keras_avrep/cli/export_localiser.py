"""Export of what finds sounds: a model of a picture and the sound around it."""

MOST_MOMENTS = 8
NO_SOUND = "There is no usable video with sound to check the export on."


def export_localiser(model, config, records, out, args):
    """Write the localiser, and the parts asked for, and compare each file with Keras
    on moments of videos.

    Args:
        model: `keras_avrep.models.LocalisationTask`.
        config: dict with its `clip`.
        records: list of `keras_avrep.data.VideoRecord` with sound, or of
            `MomentRecord`.
        out: folder.
        args: what `export` has parsed.

    Returns:
        List of rows, as of `keras_avrep.export.export_part`.

    Raises:
        ValueError: if a format is not for localisers, a part is unknown, or no video
            can be used.
    """
    from keras_avrep.cli.export import chosen_parts
    from keras_avrep.export import export_part

    formats = chosen_formats(args.formats)
    moments = real_moments(model, records, config["clip"])
    first, localiser = next(iter(model.inference_models().items()))
    parts = chosen_parts(model, first, args.parts)
    name = args.name or type(model).__name__.lower()
    rows = []
    for part, part_model in {first: localiser, **parts}.items():
        inputs = model.inference_inputs(part, moments)
        written = export_part(
            part_model,
            out,
            inputs,
            name=name if part == first else f"{name}_{part}",
            formats=formats,
            tolerance=args.tolerance,
            version=args.version,
        )
        rows += [{**row, "note": "inputs " + ", ".join(inputs)} for row in written]
    return rows


def compared_records(folder, cache):
    """Videos with sound, or moments, to compare on; held-out ones if there are any."""
    from keras_avrep.cli.export import divide
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.scan import describe_moments
    from keras_avrep.cli.videos import open_videos, read_moments

    if (moments := read_moments(folder)) is not None:
        describe_moments(moments, say)
        return divide(moments)[0]
    return [r for r in divide(open_videos(folder, cache))[0] if r.has_audio]


def chosen_formats(asked):
    """The formats asked for, or all that a model with two inputs has."""
    known = ("saved_model", "litert")
    for name in asked or ():
        if name not in known:
            raise ValueError(
                f"--formats {name} is not for localisers; give {' or '.join(known)}."
            )
    return tuple(asked or known)


def real_moments(model, records, clip):
    """A moment of each of some videos: `frame` and `audio`, stacked."""
    import numpy as np

    from keras_avrep.data import ClipSource, MediaError, MomentRecord, MomentSource

    if not records:
        raise ValueError(NO_SOUND)
    cut = isinstance(records[0], MomentRecord)
    source_of = MomentSource if cut else ClipSource
    source = source_of(records, model.training_sampler(), clip["size"])
    rng, samples = np.random.default_rng(0), []
    for record in records:
        try:
            sample = source.read(record, rng)
        except MediaError:
            continue
        samples.append((sample["frame"], sample["audio"]))
        if len(samples) == MOST_MOMENTS:
            break
    if not samples:
        raise ValueError(NO_SOUND)
    frames, sounds = zip(*samples, strict=True)
    return {"frame": np.stack(frames), "audio": np.stack(sounds)}
