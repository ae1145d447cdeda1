"""What each part of a method adds, measured on the world `scenes`.

    python benchmarks/claims.py dclr --seeds 3
    python benchmarks/claims.py dclr --table

Trains the ladder of DCLR's terms, each rung from the same seed, data and number of
steps, and measures the checks E1 to E7 of the method's note. Every finished rung
is added to the results file at once; run the same command again to go on. About
20 minutes a seed on two CPU cores.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops
from provenance import commit

from keras_avrep.cli.run_folder import versions, write_json
from keras_avrep.cli.training_run import train
from keras_avrep.data import scan_folder
from keras_avrep.evaluation import (
    embed_clips,
    embed_videos,
    evaluate_features,
    knn_accuracy,
    nearest_neighbours,
)
from keras_avrep.models import DCLR
from keras_avrep.training import choose_device_policy
from keras_avrep.worlds import ScenesWorld, render_world

VV, STATIC, DYNAMIC = {"vv": 1.0}, {"vs": 1.0, "sv": 1.0}, {"vd": 1.0, "dv": 1.0}
ALL = {**VV, **STATIC, **DYNAMIC}
SEARCH = ["rgb", "static", "dynamic"]
# rung → what it is called, loss weights, search, activation decoupling
LADDER = {
    "a": ("v-v only", VV, [], False),
    "b": ("+ static", {**VV, **STATIC}, [], False),
    "a+d": ("v-v + dynamic", {**VV, **DYNAMIC}, [], False),
    "c": ("+ static + dynamic", ALL, [], False),
    "d": ("+ cross-video search", ALL, SEARCH, False),
    "e": ("+ activation decoupling", ALL, SEARCH, True),
    "f": ("+ activation alignment", {**ALL, "activation": 0.1}, SEARCH, True),
}
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
RESULTS = Path(__file__).parent / "results" / "dclr_claims.json"
START = 20  # frame at which the clips of E4 to E7 start


def build(rung, seed):
    """The tiny preset with the parts of one rung."""
    _, weights, mine, decoupling = LADDER[rung]
    keras.utils.set_random_seed(seed)
    return DCLR.from_preset(
        "dclr_tiny",
        load_weights=False,
        loss_weights=weights,
        mine=mine,
        activation_decoupling=decoupling,
        seed=seed,
    )


def run_rung(rung, seed, args):
    """Train and measure one rung."""
    world = ScenesWorld(seed=seed)
    folder = Path(args.runs) / f"seed{seed}"
    render_world(world, folder / "data", COUNTS)
    manifest = scan_folder(folder / "data", folder / "cache.json")
    clip = DCLR.presets["dclr_tiny"]["clip"]
    model = build(rung, seed)
    began = time.time()
    training = train(
        model,
        manifest.split("pretrain"),
        folder / rung.replace("+", "_"),
        clip=clip,
        steps=args.steps,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=seed,
        log_every=50,
    )
    options = {**clip, "num_clips": 4}
    representation = model.representation
    gallery = embed_videos(representation, manifest.split("train"), **options)
    queries = embed_videos(representation, manifest.split("test"), **options)
    result = {
        "seed": seed,
        "rung": rung,
        "losses": training["losses"],
        **evaluate_features(gallery, queries, seed),
        "background_swap": background_swap(representation, world),
    }
    if "vd" in model.terms:
        result["map_mass_in_sprite"] = map_mass(model, world)
        result["mining"] = mining_share(model, world)
    if "vd" in model.terms and "vs" in model.terms:
        result["heads"] = head_split(model, world)
    return {**result, "seconds": round(time.time() - began)}


def clips_of(world, plans, frames=8):
    return np.stack([world.frames(p)[START : START + frames] for p in plans])


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


def background_swap(representation, world):
    """E4: motion kNN before and after the queries get another scene."""
    gallery, queries = plans_of(world, "train", 512), plans_of(world, "test")
    swapped = [
        {**plan, "scene": world.plan("test", 1000 + i)["scene"]}
        for i, plan in enumerate(queries)
    ]
    found = embed_clips(representation, middle(clips_of(world, gallery)))
    names = labels_of(gallery, "motion")
    asked = labels_of(queries, "motion")
    before, after = (
        knn_accuracy(
            embed_clips(representation, middle(clips_of(world, plans))),
            found,
            asked,
            names,
        )
        for plans in (queries, swapped)
    )
    return {"motion_knn": before, "motion_knn_swapped": after}


def map_mass(model, world, count=128):
    """E5: share of a map inside the sprite, relative to the sprite's area."""
    plans = plans_of(world, "test", count)
    maps = model.activation_maps(middle(clips_of(world, plans)))
    masks = np.stack([world.sprite_masks(p)[0, START : START + 8] for p in plans])
    result = {}
    for mode, values in maps.items():
        area = cell_means(masks, values.shape[1:])
        inside = (values * area).sum((1, 2, 3)) / values.sum((1, 2, 3))
        result[mode] = float((inside / area.mean((1, 2, 3))).mean())
    return result


def cell_means(masks, grid):
    """Mean of masks `(N, T, H, W)` over the cells of a coarser grid."""
    for axis, count in enumerate(grid, 1):
        parts = np.array_split(masks, count, axis)
        masks = np.concatenate([p.mean(axis, keepdims=True) for p in parts], axis)
    return masks


def twin_embeddings(model, clips, mode, head):
    """Momentum embeddings of clips in one mode, as mining uses them."""
    backbone, heads = model.momentum_encoder.twins
    rgb = model.get_layer("normalise")(ops.cast(middle(clips), "float32"))
    if mode == "dynamic":
        rgb = model.views.decoupler.difference(rgb)
    maps = backbone(rgb, training=True)
    weights = None
    pooled = {head: model.activation_pool(maps, weights)}
    return ops.convert_to_numpy(heads(pooled)[head])


def mining_share(model, world):
    """E7: share of the five nearest by dynamic key that have the same motion."""
    gallery, queries = plans_of(world, "train", 512), plans_of(world, "test")
    bank = twin_embeddings(model, clips_of(world, gallery), "dynamic", "dv")
    asked = twin_embeddings(model, clips_of(world, queries), "dynamic", "dv")
    order, _ = nearest_neighbours(asked, bank, 5, centre=False)
    names = np.array(labels_of(gallery, "motion"))[order]
    same = names == np.array(labels_of(queries, "motion"))[:, None]
    return {"same_motion_in_top5": float(same.mean()), "chance": 1 / 8}


def head_split(model, world):
    """E6: which label the static and the dynamic RGB heads hold."""
    splits = [plans_of(world, "train", 512), plans_of(world, "test")]
    embeddings = []
    for plans in splits:
        clips = middle(clips_of(world, plans))
        rgb = model.get_layer("normalise")(ops.cast(clips, "float32"))
        maps = model.backbone(rgb, training=True)
        pooled = model.activation_pool(maps, None)
        projected = model.heads({"vs": pooled, "vd": pooled})
        embeddings.append({k: ops.convert_to_numpy(v) for k, v in projected.items()})
    return {
        head: {
            label: knn_accuracy(
                embeddings[1][head],
                embeddings[0][head],
                labels_of(splits[1], label),
                labels_of(splits[0], label),
            )
            for label in ("motion", "scene")
        }
        for head in ("vs", "vd")
    }


def measure(args):
    """All rungs of all seeds that are not in the results yet."""
    configuration = {
        k: v
        for k, v in vars(args).items()
        if k in ("steps", "batch_size", "learning_rate")
    }
    policy = choose_device_policy()
    keras.config.set_dtype_policy(policy.precision)
    content = {"results": []}
    if RESULTS.exists():
        content = json.loads(RESULTS.read_text())
        if content["configuration"] != configuration:
            raise SystemExit(f"{RESULTS} is of another configuration; move it away.")
    content.update(
        configuration=configuration,
        world=ScenesWorld().get_config(),
        counts=COUNTS,
        precision=policy.precision,
        versions=versions(),
        commit=commit(),
    )
    done = {(r["seed"], r["rung"]) for r in content["results"]}
    for seed in range(args.seeds):
        for rung in args.rungs:
            if (seed, rung) in done:
                continue
            result = run_rung(rung, seed, args)
            print(json.dumps(result), flush=True)
            content["results"].append(result)
            write_json(RESULTS, content)


def table():
    """A markdown table of the results: mean, spread and number of seeds."""
    content = json.loads(RESULTS.read_text())
    lines = [
        "| rung | seeds | motion kNN | motion linear | scene kNN | scene linear | "
        "motion R@1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for rung, (name, *_) in LADDER.items():
        rows = [r for r in content["results"] if r["rung"] == rung]
        if not rows:
            continue
        cells = [
            spread([r["probe"][label][kind] for r in rows])
            for label in ("motion", "scene")
            for kind in ("knn", "linear")
        ]
        cells.append(spread([r["retrieval"]["motion"]["r_at_1"] for r in rows]))
        lines.append(f"| ({rung}) {name} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def checks():
    """A markdown table of E4 to E7: mean and spread over seeds."""
    content = json.loads(RESULTS.read_text())
    lines = ["| check | rung | measured |", "|---|---|---|"]
    for rung in LADDER:
        rows = [r for r in content["results"] if r["rung"] == rung]
        if not rows:
            continue
        swap = [r["background_swap"] for r in rows]
        before = spread([s["motion_knn"] for s in swap])
        after = spread([s["motion_knn_swapped"] for s in swap])
        text = f"motion kNN {before}, with other scenes behind the queries {after}"
        lines.append(f"| E4 | ({rung}) | {text} |")
        if "map_mass_in_sprite" in rows[0]:
            mass = [r["map_mass_in_sprite"] for r in rows]
            text = ", ".join(
                f"{mode} {np.mean([m[mode] for m in mass]):.2f}" for mode in mass[0]
            )
            lines.append(f"| E5 | ({rung}) | map on the sprite by its area: {text} |")
            share = spread([r["mining"]["same_motion_in_top5"] for r in rows])
            lines.append(f"| E7 | ({rung}) | same motion among five nearest {share} |")
        if "heads" in rows[0]:
            text = "; ".join(
                f"{head} motion {spread([r['heads'][head]['motion'] for r in rows])}, "
                f"scene {spread([r['heads'][head]['scene'] for r in rows])}"
                for head in ("vs", "vd")
            )
            lines.append(f"| E6 | ({rung}) | {text} |")
    return "\n".join(lines)


def spread(values):
    values = 100 * np.array(values)
    return f"{values.mean():.1f} ± {values.std():.1f}"


def write_table():
    """Put the table between the markers of the README and the card."""
    root = Path(__file__).parents[1]
    card = root / "keras_avrep/models/dclr/CARD.md"
    for path in (root / "README.md", card):
        put_between(path, "dclr-claims", table())
    put_between(card, "dclr-checks", checks())


def put_between(path, name, table):
    """Replace what stands between two markers of a document."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, rest = path.read_text().split(begin)
    path.write_text(f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("system", choices=["dclr"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--rungs", nargs="+", default=list(LADDER), choices=LADDER)
    parser.add_argument("--runs", default="runs/claims", help="folder of the runs")
    parser.add_argument("--table", action="store_true", help="only write the tables")
    args = parser.parse_args()
    if not args.table:
        measure(args)
    print(table())
    write_table()


if __name__ == "__main__":
    main()
