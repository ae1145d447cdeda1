"""Mark in a video what sounds, and where.

    keras-avrep localize --preset runs/csol --video my.mp4 --out sounding.mp4
    keras-avrep localize --preset runs/csol --video my.mp4 --out sounding.mp4 \\
        --threshold 0.7 --every 0.5

The video keeps its size, the times of its frames and its own sound. Two files of the
same name are written beside it: sounding.npz (times, class_maps, sounding_maps, names)
and sounding.json, the boxes of every frame looked at. What is seen but silent is left
alone. InterferenceEraser also says what it hears, seen or not: audible_scores and
audio_distribution in the first, and in the second what is `heard` in every frame.
"""

from pathlib import Path

from keras_avrep.cli.arguments import positive


def add_arguments(parser):
    parser.add_argument(
        "--preset", required=True, help="run folder or preset of a localiser"
    )
    parser.add_argument("--video", required=True, help="the video to look at")
    parser.add_argument(
        "--out", required=True, help=".mp4, .mov, .m4v, .mkv or .webm file to write"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        help="how sure to be of a class, from 0 to 1 (0.5); lower shows more",
    )
    parser.add_argument(
        "--sounding-threshold",
        type=float,
        default=0.5,
        help="how sure to be that a place sounds at all, from 0 to 1 (0.5)",
    )
    parser.add_argument(
        "--every",
        type=float,
        help="seconds from one frame that is looked at to the next (all frames)",
    )
    parser.add_argument(
        "--batch-size", type=positive, default=32, help="frames at a time"
    )


def run(args):
    from keras_avrep.cli.run_folder import load_run_model
    from keras_avrep.data.video_copy import check_copy
    from keras_avrep.evaluation import is_localiser

    check_copy(args.out, args.video)
    for option in ("threshold", "sounding_threshold"):
        if not 0 <= getattr(args, option) < 1:
            name = "--" + option.replace("_", "-")
            raise ValueError(f"{name} is {getattr(args, option)}; give 0 to 1.")
    if args.batch_size < 1:
        raise ValueError(f"--batch-size is {args.batch_size}; give at least 1.")
    model, config = load_run_model(args.preset)
    if not is_localiser(model):
        raise ValueError(
            f"{args.preset} holds a {type(model).__name__}, which does not say where "
            "it sounds; give a run of CSOL or InterferenceEraser."
        )
    localize_to_files(
        model,
        config["clip"],
        args.video,
        args.out,
        level=args.threshold,
        sounding_level=args.sounding_threshold,
        every=args.every,
        batch_size=args.batch_size,
    )


def localize_to_files(
    model,
    clip,
    video,
    out,
    *,
    level=0.5,
    sounding_level=0.5,
    every=None,
    batch_size=32,
):
    """Write the drawn video, its maps and its boxes.

    Args:
        model: as of `keras_avrep.evaluation.localize_video`.
        clip: dict of `size`, `duration`, `sample_rate` and `cluster_names`, a name
            for each cluster or `None`.
        video: the video file.
        out: the video to write; the other two files have its name.
        level: as of `keras_avrep.evaluation.map_boxes`.
        sounding_level: the same.
        every: as of `localize_video`.
        batch_size: the same.
    """
    from keras_avrep.cli.progress import say
    from keras_avrep.data import probe
    from keras_avrep.evaluation import localize_video

    out, seconds = Path(out), probe(video).duration
    looked = _Seconds("looked at seconds", seconds)
    maps = localize_video(
        model,
        video,
        clip["size"],
        clip["duration"],
        clip["sample_rate"],
        every=every,
        batch_size=batch_size,
        progress=looked,
    )
    looked.finish()
    names, levels = clip.get("cluster_names"), (level, sounding_level)
    if not maps.has_audio:
        say(f"{video} has no sound track: nothing in it sounds, so nothing is drawn.")
    frames = drawn_frames(video, maps, names, levels, _Seconds("drew seconds", seconds))
    write_files(out, video, maps, names, levels, frames, say)


def called(names, cluster):
    """The name of a cluster, or its number."""
    name = names[cluster] if names else None
    return f"cluster {cluster}" if name is None else str(name)


class _Seconds:
    """Progress in seconds of a video."""

    def __init__(self, text, total):
        from keras_avrep.cli.progress import Progress

        self.progress, self.total = Progress(text), max(1, round(total))
        self.done = 0

    def __call__(self, seconds):
        whole = min(int(seconds), self.total - 1)
        if whole > self.done:
            self.done = whole
            self.progress(whole, self.total)

    def finish(self):
        self.progress(self.total, self.total)


def drawn_frames(video, maps, names, levels, progress):
    """Frames of the video with their times, what sounds drawn into them."""
    import numpy as np

    from keras_avrep.data import stream_timed_frames
    from keras_avrep.evaluation import sounding_regions
    from keras_avrep.report import draw_sounding

    looked_at, found = -1, []
    for seconds, image in stream_timed_frames(video):
        # Between two frames that were looked at, the earlier one holds.
        last = np.searchsorted(maps.times, float(seconds) + 1e-6, "right") - 1
        if maps.has_audio and last != looked_at:
            looked_at = last
            found = sounding_regions(
                maps.class_maps[last], maps.sounding_maps[last], names, *levels
            )
        boxes, regions = [box for box, _ in found], [region for _, region in found]
        yield seconds, draw_sounding(image, boxes, regions, names)
        progress(seconds)
    progress.finish()


def write_files(out, video, maps, names, levels, frames, say):
    """The video, then what is in it; each whole or not at all."""
    import numpy as np

    from keras_avrep.cli.run_folder import write_json
    from keras_avrep.data import write_video_copy
    from keras_avrep.data.files import replacing

    write_video_copy(out, video, frames)
    clusters = range(maps.class_maps.shape[-1])
    with replacing(out.with_suffix(".npz")) as temporary:
        np.savez_compressed(
            temporary,
            times=maps.times,
            class_maps=maps.class_maps.astype(np.float16),
            sounding_maps=maps.sounding_maps.astype(np.float16),
            names=np.array([called(names, k) for k in clusters], dtype=str),
            **heard_arrays(maps),
        )
    told = said_of_frames(maps, names, levels)
    content = {
        "video": Path(video).name,
        "has_audio": maps.has_audio,
        "threshold": levels[0],
        "sounding_threshold": levels[1],
        "frames": told,
    }
    write_json(out.with_suffix(".json"), content)
    seen = all_called(names, told, "boxes")
    say(f"heard and seen: {', '.join(seen) or 'nothing'}")
    if maps.audible_scores is not None:
        heard = all_called(names, told, "heard")
        say(f"heard, seen or not: {', '.join(heard) or nothing_heard(maps, names)}")
    if maps.has_audio and not seen:
        say(
            f"The surest place of a class reaches {maps.class_maps.max():.2f}, of "
            f"sounding at all {maps.sounding_maps.max():.2f}; lower --threshold or "
            "--sounding-threshold to see more."
        )
    written = (out, out.with_suffix(".npz"), out.with_suffix(".json"))
    say(f"wrote {', '.join(str(path) for path in written)}")


def nothing_heard(maps, names):
    """What to say where no class is surely heard: how far the surest one is from it."""
    from keras_avrep.evaluation.audible_clusters import AUDIBLE

    if not maps.has_audio:
        return "nothing"
    scores = maps.audible_scores.max(axis=0)
    surest = called(names, scores.argmax())
    return f"nothing for sure; {surest} reaches {scores.max():.2f} of {AUDIBLE}"


def heard_arrays(maps):
    """What the model says it hears, by name, as far as it does."""
    said = {
        "audible_scores": maps.audible_scores,
        "audio_distribution": maps.audio_distribution,
    }
    return {k: v.astype("float16") for k, v in said.items() if v is not None}


def said_of_frames(maps, names, levels):
    """For each frame its time, its boxes and, if the model says it, what is heard."""
    from keras_avrep.evaluation import audible_clusters, map_boxes

    frames = []
    for row, time in enumerate(maps.times):
        frame = {"time": round(float(time), 6), "boxes": []}
        if maps.has_audio:
            pair = maps.class_maps[row], maps.sounding_maps[row]
            frame["boxes"] = map_boxes(*pair, names, *levels)
        if maps.audible_scores is not None:
            scores = maps.audible_scores[row]
            frame["heard"] = audible_clusters(scores, names) if maps.has_audio else []
        frames.append(frame)
    return frames


def all_called(names, frames, key):
    """Names of the clusters in any of the frames, sorted."""
    return sorted({called(names, one["cluster"]) for f in frames for one in f[key]})
