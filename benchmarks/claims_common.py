"""What the claims of every system share: training, probes, plans, tables."""

import json

import keras
import numpy as np
from keras import ops
from provenance import commit

from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.cli.training_run import build_model, recalibrate, train
from keras_avrep.data import BoxedClips, scan_folder
from keras_avrep.evaluation import embed_videos, evaluate_features
from keras_avrep.models import system_of
from keras_avrep.training import choose_device_policy
from keras_avrep.worlds import render_world


def rendered(world, folder, counts):
    """The manifest of a world written to a folder, or there already."""
    render_world(world, folder, counts)
    return scan_folder(folder, folder.with_suffix(".cache.json"))


def run_folder(parent, rung, args):
    """Where a rung is trained, which is another place for another number of steps."""
    return parent / (rung.replace(" ", "_").replace("+", "_") + args.suffix)


def fresh(preset, manifest, seed, args, changes=None):
    """A model of a preset for the split `pretrain`, not trained; as for `trained`."""
    return build_model(
        preset,
        num_videos=len(manifest.split("pretrain")),
        batch_size=args.batch_size,
        steps=args.steps,
        seed=seed,
        changes=changes,
    )


def trained(preset, manifest, folder, seed, args, changes=None, boxes=None):
    """A preset trained on the split for it, and what the training returned.

    Of a run that was trained elsewhere the folder `preset` is enough, without its
    checkpoint: it is loaded, and nothing is known of its losses and speed.

    Args:
        preset: string. A built-in name.
        manifest: `keras_avrep.data.Manifest` with a split `pretrain`.
        folder: run folder.
        seed: int.
        args: of the command: `steps`, `batch_size`, `learning_rate`, `jit_compile`.
        changes: dict of constructor arguments. Defaults to none.
        boxes: dict of known boxes, as `BoxedClips` takes them. Defaults to `None`.
    """
    trained_on = noted_machine(folder)
    brought = folder / "preset"
    if brought.exists() and not (folder / "checkpoints" / "last.npz").exists():
        model = system_of(preset).from_preset(str(brought))
        nothing = dict.fromkeys(("losses", "clips_per_second", "seconds"))
        return model, {**nothing, "trained_on": trained_on}
    check_recipe_of(folder, args)
    model = fresh(preset, manifest, seed, args, changes)
    clip = system_of(preset).presets[preset]["clip"]
    sampler = model.training_sampler(clip)
    training = train(
        model,
        manifest.split("pretrain"),
        folder,
        clip=clip,
        sampler=BoxedClips(sampler, boxes) if boxes else sampler,
        steps=args.steps,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=seed,
        log_every=50,
        jit_compile=args.jit_compile,
    )
    return model, {**training, "trained_on": trained_on}


def untrained(preset, manifest, seed, args):
    """A fresh model whose batch norm has seen whole clips, and what `trained` adds."""
    model = fresh(preset, manifest, seed, args)
    clip = system_of(preset).presets[preset]["clip"]
    recalibrate(model, manifest.split("pretrain"), clip, seed)
    nothing = {"losses": None, "clips_per_second": None, "seconds": 0.0}
    return model, {**nothing, "trained_on": None}


def noted_machine(folder):
    """On what a run was begun, which may be measured elsewhere; `None` if unknown."""
    path = folder / "trained_on.json"
    begun = (folder / "checkpoints" / "last.npz", folder / "preset")
    if not path.exists() and any(part.exists() for part in begun):
        return None
    if not path.exists():
        policy = choose_device_policy()
        folder.mkdir(parents=True, exist_ok=True)
        about = {
            "backend": keras.backend.backend(),
            "device": policy.device,
            "precision": keras.config.dtype_policy().name,
            "versions": versions(),
            "commit": commit(),
        }
        write_json(path, about)
    return json.loads(path.read_text())


def check_recipe_of(folder, args):
    """Note what a run is trained with, and refuse one that had another recipe."""
    names = ("batch_size", "learning_rate")
    recipe = {name: getattr(args, name) for name in names}
    recipe["precision"] = keras.config.dtype_policy().name
    path = folder / "recipe.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, recipe)
    if (before := json.loads(path.read_text())) != recipe:
        raise SystemExit(f"{folder} was trained with {before}; give another --runs.")


def probed(model, preset, manifest, seed, control=None):
    """Retrieval and probes of the labelled splits, four clips a video.

    By `control` all clips are changed as `keras_avrep.evaluation.embed_videos` says.
    """
    clip = system_of(preset).presets[preset]["clip"]
    options = {**clip, "size": model.views.size, "num_clips": 4}
    options |= {"control": control, "seed": seed}
    gallery, queries = (
        embed_videos(model.representation, manifest.split(split), **options)
        for split in ("train", "test")
    )
    return evaluate_features(gallery, queries, seed)


def spread_of_some(rows, group, key):
    """`spread` of what some of the rows have, and of how many if not of all."""
    found = [row[group][key] for row in rows if key in row[group]]
    if not found:
        return "–"
    few = len(found) < len(rows)
    return spread(found) + (f" ({len(found)} of {len(rows)})" if few else "")


def spread(values):
    """Mean and, of several, standard deviation of shares, as percent.

    That of the seeds themselves, with their number as the divisor.
    """
    values = 100 * np.array(values)
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{values.mean():.1f} ± {values.std():.1f}"


def between_markers(path, name, table):
    """Replace what stands between two markers of a document."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text().split(begin)
    path.write_text(f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}")


def excerpt(table, rows, columns):
    """A part of a markdown table, in its order.

    Args:
        table: string, the whole.
        rows: the first cells of the rows to keep.
        columns: heads of the columns to keep beside the first.
    """
    lines = [line for line in table.splitlines() if not line.startswith("|---")]
    head, *body = ([c.strip() for c in line.strip("| ").split(" | ")] for line in lines)
    places = [0, *(head.index(name) for name in columns)]
    kept = [head, ["---"] * len(head), *(line for line in body if line[0] in rows)]
    return "\n".join(f"| {' | '.join(line[i] for i in places)} |" for line in kept)


def labels_of(plans, name):
    return [p["labels"][name] for p in plans]


def middle(clips, size=48):
    """Clips as the representation takes them: 64 pixels to 48."""
    x = ops.image.resize(
        ops.reshape(ops.cast(clips, "float32"), (-1, *clips.shape[2:])),
        (size, size),
        antialias=True,
    )
    return ops.convert_to_numpy(x).reshape(*clips.shape[:2], size, size, 3)


def plans_of(world, split, count=256):
    return [world.plan(split, i) for i in range(count)]
