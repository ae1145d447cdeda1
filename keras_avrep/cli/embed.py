"""Write the features of videos to .npz or Parquet, resumable.

    keras-avrep embed runs/first videos --out features.npz
    keras-avrep embed runs/first videos --out features.parquet

One row for each video: its path, its labels, and its feature, the mean over
equally spaced clips. Run the same command again to go on where it stopped.
"""

import shutil
from pathlib import Path

from keras_avrep.cli.arguments import add_crops, add_threads, positive
from keras_avrep.cli.videos import VIDEOS

CHUNK = 64


def add_arguments(parser):
    parser.add_argument("run", help="run folder or name of a preset with weights")
    parser.add_argument("folder", help=VIDEOS)
    parser.add_argument("--out", required=True, help=".npz or .parquet file")
    parser.add_argument(
        "--num-clips", type=positive, default=10, help="averaged for each video (10)"
    )
    add_crops(parser)
    add_threads(parser)


def run(args):
    from keras_avrep.cli.progress import say
    from keras_avrep.cli.run_folder import clip_arguments, load_run_model
    from keras_avrep.cli.videos import list_rejects, manifest_cache, open_videos

    out = Path(args.out)
    write = {".npz": write_npz, ".parquet": write_parquet}.get(out.suffix)
    if write is None:
        raise ValueError(f"--out {out} must end in .npz or .parquet.")
    if out.suffix == ".parquet":
        check_parquet()
    model, config = load_run_model(args.run)
    cache = manifest_cache(args.run, out.parent)
    manifest = open_videos(args.folder, cache, args.threads)
    options = {
        **clip_arguments(config),
        "num_clips": args.num_clips,
        "crops": args.crops,
        "workers": args.threads,
    }
    rows, rejects = embed_in_parts(model, manifest.records, out, options, say, write)
    list_rejects(manifest, rejects, out.with_name(f"{out.stem}_rejects.jsonl"), say)
    say(f"{len(rows['path'])} videos of {rows['feature'].shape[1]} numbers in {out}")


def embed_in_parts(model, records, out, options, say, write):
    """Embed in parts that are kept until all are there and written."""
    import numpy as np

    from keras_avrep.evaluation import embed_videos

    folder = out.with_name(f".{out.name}.parts")
    folder.mkdir(parents=True, exist_ok=True)
    start_afresh_unless_same(folder, records, model, options)
    names = sorted({name for r in records for name in r.labels})
    rows = {"path": [], "feature": [], **{f"label_{n}": [] for n in names}}
    rejects = []
    by_id = {r.video_id: r for r in records}
    for first in range(0, len(records), CHUNK):
        part = folder / f"{first:08d}.npz"
        if not part.exists():
            chunk = records[first : first + CHUNK]
            save_part(part, embed_videos, model, chunk, options)
        with np.load(part) as content:
            paths = content["path"].tolist()
            rejects += [
                {"path": p, "reason": r}
                for p, r in zip(content["bad"], content["reason"], strict=True)
            ]
            if paths:
                rows["feature"].append(content["feature"])
            rows["path"] += paths
        for name in names:
            rows[f"label_{name}"] += [by_id[p].labels.get(name, "") for p in paths]
        say(f"embedded {min(first + CHUNK, len(records))}/{len(records)}")
    if not rows["path"]:
        raise ValueError("None of the videos can be decoded.")
    rows["feature"] = np.concatenate(rows["feature"])
    write(out, rows)
    shutil.rmtree(folder)
    return rows, rejects


def save_part(part, embed_videos, model, records, options):
    """Embed some videos into one file, written whole."""
    import numpy as np

    from keras_avrep.data.files import replacing

    try:
        features = embed_videos(model.representation, records, **options)
        bad, paths, values = features.rejects, features.paths, features.values
    except ValueError as error:
        bad = [{"path": r.video_id, "reason": str(error)} for r in records]
        paths, values = [], np.zeros((0, 0), "float32")
    with replacing(part) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            path=np.asarray(paths, dtype=str),
            feature=values,
            bad=np.asarray([b["path"] for b in bad], dtype=str),
            reason=np.asarray([b["reason"] for b in bad], dtype=str),
        )


def start_afresh_unless_same(folder, records, model, options):
    """Drop parts that another model, other videos or other clips left."""
    import hashlib

    from keras_avrep.cli.run_folder import weights_digest

    files = [(r.path, *stamp_of(r.path)) for r in records]
    about = repr((options, files, weights_digest(model)))
    digest = hashlib.sha256(about.encode("utf-8", "surrogateescape"))
    stamp = folder / "stamp"
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        for part in folder.iterdir():
            part.unlink()
        stamp.write_text(digest.hexdigest())


def stamp_of(path):
    """What tells that a file is another one; nothing of one that is gone."""
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


def write_npz(out, rows):
    """All columns as arrays."""
    import numpy as np

    from keras_avrep.data.files import replacing

    with replacing(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **{k: np.asarray(v) for k, v in rows.items()})


def check_parquet():
    """Raise a helpful error if pyarrow is not there."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ValueError(
            'Parquet needs another package: pip install "keras-avrep[parquet]"'
        ) from None


def write_parquet(out, rows):
    """The feature as a list column."""
    import pyarrow
    import pyarrow.parquet

    from keras_avrep.data.files import replacing

    columns = {**rows, "feature": list(rows["feature"])}
    with replacing(out) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
