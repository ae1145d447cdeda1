"""DCLR: the ladder of its terms, and the checks E1 to E7 of the note.

Run by `python benchmarks/claims.py dclr`. Each rung starts from the same seed,
data and number of steps. A rung takes 10 to 40 minutes on a CPU core.
"""

import json
from pathlib import Path

import numpy as np
from claims_common import (
    between_markers,
    excerpt,
    labels_of,
    middle,
    plans_of,
    probed,
    rendered,
    run_folder,
    spread,
    trained,
)
from keras import ops

from keras_avrep.evaluation import (
    aligned_clip_maps,
    embed_clips,
    knn_accuracy,
    nearest_neighbours,
)
from keras_avrep.models import DCLR, DCLRViews
from keras_avrep.worlds import ScenesWorld

PRESET = "dclr_tiny"
DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
VV, STATIC, DYNAMIC = {"vv": 1.0}, {"vs": 1.0, "sv": 1.0}, {"vd": 1.0, "dv": 1.0}
ALL = {**VV, **STATIC, **DYNAMIC}
SEARCH = ["rgb", "static", "dynamic"]
FULL = {**ALL, "activation": 0.1}
# rung → what it is called, loss weights, search, activation decoupling. Frozen frames
# have a crop of their own, unless a rung is aligned.
LADDER = {
    "a": ("v-v only", VV, [], False),
    "b": ("+ static", {**VV, **STATIC}, [], False),
    "a+d": ("v-v + dynamic", {**VV, **DYNAMIC}, [], False),
    "c": ("+ static + dynamic", ALL, [], False),
    "d": ("+ cross-video search", ALL, SEARCH, False),
    "e": ("+ activation decoupling", ALL, SEARCH, True),
    "f": ("+ activation alignment", FULL, SEARCH, True),
    "f-late": ("(f), search in the last third of the steps only", FULL, SEARCH, True),
    "e-aligned": ("(e), frozen frames cropped as their clips", ALL, SEARCH, True),
    "f-aligned": ("(f), frozen frames cropped as their clips", FULL, SEARCH, True),
    "f-dynamic": ("(f), search of dynamic positives only", FULL, ["dynamic"], True),
}
# What is done to every clip, and what it is called.
TITLES = {"single_frame": "from single frames", "shuffled": "from shuffled frames"}
# What README shows; the card has all of it.
IN_README = [f"({r}) {LADDER[r][0]}" for r in ("a", "b", "a+d", "c", "d", "e", "f")]
README_COLUMNS = ("seeds", "motion kNN", "motion linear", "scene kNN", "scene linear")
SEARCH_AFTER = {"f-late": 2 / 3}  # share of the steps
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
WORLD = ScenesWorld()
START = 20  # frame at which the clips of E4 to E7 start


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    folder = Path(args.runs) / f"seed{seed}"
    manifest = rendered(ScenesWorld(seed=seed), folder / "data", COUNTS)
    _, weights, mine, decoupling = LADDER[rung]
    changes = {
        "loss_weights": weights,
        "mine": mine,
        "activation_decoupling": decoupling,
        "mine_after": round(args.steps * SEARCH_AFTER.get(rung, 0)),
    }
    if rung.endswith("aligned"):
        views = DCLR.presets[PRESET]["views"]
        changes["views"] = DCLRViews(**views, align_static=True, seed=seed)
    run = run_folder(folder, rung, args)
    return *trained(PRESET, manifest, run, seed, args, changes), manifest


def measure_rung(rung, seed, args, model, manifest):
    """Probes, controls and checks of a trained rung."""
    world = ScenesWorld(seed=seed)
    result = {
        **probed(model, PRESET, manifest, seed),
        "controls": {
            control: probed(model, PRESET, manifest, seed, control)["probe"]
            for control in TITLES
        },
        "background_swap": background_swap(model.representation, world),
    }
    if "vd" in model.terms:
        result["map_mass_in_sprite"] = map_mass(model, world)
        result["mining"] = mining_share(model, world)
    if "vd" in model.terms and "vs" in model.terms:
        result["heads"] = head_split(model, world)
    return result


def clips_of(world, plans, frames=8):
    return np.stack([world.frames(p)[START : START + frames] for p in plans])


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
        # Cells are where they look, or a map on the sprite would lie beside it.
        values = aligned_clip_maps(values, model.backbone.map_centre)
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


def inputs_of(model, clips):
    """Every kind of input, as a step has it but for augmentation."""
    rgb = model.get_layer("normalise")(ops.cast(middle(clips), "float32"))
    return model.map_inputs(rgb)


def twin_embeddings(model, clips, mode, head):
    """Momentum embeddings of clips in one mode, as mining uses them."""
    maps = model.feature_maps(inputs_of(model, clips))
    _, heads = model.momentum_encoder.twins
    pooled = {head: model.activation_pool(maps[mode], None)}
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
    """E6: which label the static and the dynamic RGB heads hold, by the twin."""
    splits = [plans_of(world, "train", 512), plans_of(world, "test")]
    embeddings = []
    for plans in splits:
        maps = model.feature_maps(inputs_of(model, clips_of(world, plans)))
        _, heads = model.momentum_encoder.twins
        pooled = {}
        for head, mode in (("vs", "static"), ("vd", "dynamic")):
            weights = None
            if model.activation_decoupling:
                weights = model.activation_map(maps[mode])
            pooled[head] = model.activation_pool(maps["rgb"], weights)
        projected = heads(pooled)
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


def table(results):
    """A markdown table of the results: mean, spread and number of seeds."""
    lines = [
        "| rung | seeds | motion kNN | motion linear | scene kNN | scene linear | "
        "motion R@1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for rung, (name, *_) in LADDER.items():
        rows = [r for r in results if r["rung"] == rung]
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


def checks(results):
    """A markdown table of E4 to E7 and of controls: mean and spread over seeds."""
    lines = ["| check | rung | seeds | measured |", "|---|---|---|---|"]
    for rung in LADDER:
        rows = [r for r in results if r["rung"] == rung]
        if not rows:
            continue
        swap = [r["background_swap"] for r in rows]
        before = spread([s["motion_knn"] for s in swap])
        after = spread([s["motion_knn_swapped"] for s in swap])
        text = f"motion kNN {before}, with other scenes behind the queries {after}"
        lines.append(f"| E4 | ({rung}) | {len(rows)} | {text} |")
        # Since there are controls, E5 to E7 look at the maps that a step works with.
        rows = [r for r in rows if "controls" in r] or rows
        place = f"({rung}) | {len(rows)}"
        if "controls" in rows[0]:
            text = ", ".join(
                f"{title} {spread([r['controls'][c]['motion']['knn'] for r in rows])}"
                for c, title in TITLES.items()
            )
            lines.append(f"| controls | {place} | motion kNN {text} |")
        if "map_mass_in_sprite" in rows[0]:
            mass = [r["map_mass_in_sprite"] for r in rows]
            text = ", ".join(
                f"{mode} {np.mean([m[mode] for m in mass]):.2f}" for mode in mass[0]
            )
            lines.append(f"| E5 | {place} | map on the sprite by its area: {text} |")
            share = spread([r["mining"]["same_motion_in_top5"] for r in rows])
            lines.append(f"| E7 | {place} | same motion among five nearest {share} |")
        if "heads" in rows[0]:
            text = "; ".join(
                f"{head} motion {spread([r['heads'][head]['motion'] for r in rows])}, "
                f"scene {spread([r['heads'][head]['scene'] for r in rows])}"
                for head in ("vs", "vd")
            )
            lines.append(f"| E6 | {place} | {text} |")
    return "\n".join(lines)


def other_runs(root):
    """The tables of runs of other than the usual number of steps."""
    parts = []
    for path in sorted((root / "benchmarks/results").glob("dclr_claims_*_steps.json")):
        content = json.loads(path.read_text())
        parts += [f"{content['configuration']['steps']} steps:"]
        parts += [table(content["results"]), checks(content["results"])]
    return "\n\n".join(parts)


def rows_apart(root, name):
    """The tables of results that `--apart NAME` has put into a file of their own."""
    path = root / f"benchmarks/results/dclr_claims_{name}.json"
    results = json.loads(path.read_text())["results"]
    return f"{table(results)}\n\n{checks(results)}"


def write_tables(results, root):
    """Put the tables into the card, a part into the README, and return the first."""
    card = root / "keras_avrep/models/dclr/CARD.md"
    short = excerpt(table(results), IN_README, README_COLUMNS)
    between_markers(root / "README.md", "dclr-claims", short)
    between_markers(card, "dclr-claims", table(results))
    between_markers(card, "dclr-checks", checks(results))
    between_markers(card, "dclr-other-steps", other_runs(root))
    between_markers(card, "dclr-bfloat16", rows_apart(root, "bfloat16"))
    return table(results)
