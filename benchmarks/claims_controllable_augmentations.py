"""Controllable Augmentations: the ladder of its parts, and checks A2 to A6.

Run by `python benchmarks/claims.py controllable_augmentations`. Each rung starts
from the same seed, data and number of steps. A1 and A7 are exact unit tests. The
videos have three phases of different motion; clips are within a phase.
"""

from pathlib import Path
from types import SimpleNamespace

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
    spread_of_some,
    trained,
)
from keras import ops

from keras_avrep.evaluation import (
    embed_clips,
    knn_accuracy,
    linear_probe_accuracy,
)
from keras_avrep.layers import RegionOverlap
from keras_avrep.models import ControllableAugmentations
from keras_avrep.worlds import ScenesWorld

PRESET = "controllable_augmentations_tiny"
DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
INSTANCE = {"instance": 0.5}
REGIONS = {**INSTANCE, "region": 1.0}
INFORMATION = {**REGIONS, "mutual_information": 0.1}
TIMESTAMP = {**INFORMATION, "timestamp": 0.5}
FULL = {**TIMESTAMP, "order": 0.5}
# rung → what it is called, loss weights, further changes
LADDER = {
    "a": ("instance only", INSTANCE, {}),
    "b": ("+ hard regions", REGIONS, {"target": "hard"}),
    "c": ("+ soft regions", REGIONS, {}),
    "d": ("+ mutual information", INFORMATION, {}),
    "e": ("+ timestamps", TIMESTAMP, {}),
    "f": ("+ order (full)", FULL, {}),
    "f-iou": ("(f), regions by intersection over union", FULL, {"target": "iou"}),
    "f-gaussian": ("(f), regions by distance", FULL, {"target": "gaussian"}),
    "f-club": ("(f), upper bound of the information", FULL, {"information": "club"}),
    "f-classes": ("(f), orders as classes", FULL, {"order": "classification"}),
    "f-plain": ("(f), without the predictor", FULL, {"predictor": False}),
    "f-local": ("(f), local clips attract each other", FULL, {"local_pairs": True}),
    "f-difference": (
        "(f), regions of frame differences too",
        {**FULL, "region_difference": 1.0},
        {},
    ),
}
# What README shows; the card has all of it.
IN_README = [f"({r}) {LADDER[r][0]}" for r in ("a", "f")]
README_COLUMNS = ("seeds", "phase kNN", "scene kNN", "order linear")
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
# Videos that the checks A2 to A6 render.
PLANS = {"train": 768, "test": 384, "pairs": 128}
WORLD_OPTIONS = {
    "phases": 3,
    "pretrain_phases": True,
    # Few enough that each order of the three has its share of the videos.
    "motions": ("right", "up", "clockwise"),
}
WORLD = ScenesWorld(**WORLD_OPTIONS)
FRAMES = 8


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    folder = Path(args.runs) / f"controllable_augmentations_seed{seed}"
    world = ScenesWorld(**WORLD_OPTIONS, seed=seed)
    manifest = rendered(world, folder / "data", COUNTS)
    _, weights, changes = LADDER[rung]
    changes = {"loss_weights": weights, **changes}
    run = run_folder(folder, rung, args)
    return *trained(PRESET, manifest, run, seed, args, changes), manifest


def measure_rung(rung, seed, args, model, manifest):
    """Probes, and checks A2 to A6."""
    world = ScenesWorld(**WORLD_OPTIONS, seed=seed)
    return {
        **probed(model, PRESET, manifest, seed),
        **region_checks(model, world, seed),
        "phases": phase_checks(model.representation, world),
        "order": order_checks(model.representation, world),
    }


# --- A2 and A4: regions ---------------------------------------------------------


def region_checks(model, world, seed):
    """A2 by features and, where there are, embeddings; A4 likewise."""
    views = held_out_views(model, world, seed)
    regions = region_features(model, views["clips"])
    embedded = hasattr(model, "region_head")
    spaces = {"features": (regions - regions.mean((0, 1, 2)),) * 2}
    if embedded:
        embeddings = to_numpy(model.region_head(regions))
        predicted = embeddings
        if hasattr(model, "region_predictor"):
            predicted = to_numpy(model.region_predictor(embeddings))
        spaces["embeddings"] = (predicted, embeddings)
    colours = pooled(model, views["clips"])
    sources = {"features": regions, **({"embeddings": embeddings} if embedded else {})}
    return {
        "correspondence": correspondence(model, views["records"], spaces),
        "colour_r2": {name: colour_r2(x, colours) for name, x in sources.items()},
    }


def held_out_views(model, world, seed):
    """Views of test videos, drawn as in training."""
    clip = ControllableAugmentations.presets[PRESET]["clip"]
    sampler = model.training_sampler(clip)
    record = SimpleNamespace(duration=world.num_frames / world.fps, fps=world.fps)
    rng = np.random.default_rng(seed)
    samples = []
    for plan in plans_of(world, "test", PLANS["pairs"]):
        frames, times = world.frames(plan), sampler(record, rng)
        numbers = times.pop("numbers")
        shown = {k: frames[(t * world.fps).astype(int)] for k, t in times.items()}
        samples.append({**shown, **numbers})
    batch = {name: np.stack([s[name] for s in samples]) for name in samples[0]}
    local = batch["local"]
    batch["local"] = middle(local.reshape(-1, *local.shape[2:])).reshape(
        *local.shape[:3], clip["size"], clip["size"], 3
    )
    batch["global"] = middle(batch["global"])
    return {name: to_numpy(x) for name, x in model.views(batch).items()}


def region_features(model, clips):
    """Pooled map of every region, `(videos, views, R, channels)`."""
    stage = model.region_stage
    maps = model.backbone.with_stages([stage])
    found = [pool_regions(model, maps(x, training=False)[stage]) for x in clips]
    return np.stack(found)


def pooled(model, clips):
    """Mean colour of every region, `(videos, views, R, 3)`."""
    # The map's cells start at multiples of its stride, so pooling pixels alike
    # is the same grid.
    return np.stack([pool_regions(model, x) for x in clips])


def pool_regions(model, x):
    return to_numpy(model.region_pool(x))


def correspondence(model, records, spaces):
    """A2: share of local regions whose best global region overlaps them.

    As crops are large and the grid is coarse, the cell at the same place in the grid
    overlaps most of them: `same_cell` is how many, and `NAME_apart` counts those only
    that it does not, of which `chance_apart` would be guessed.
    """
    local = records[:, :-1]
    whole = np.repeat(records[:, -1:], local.shape[1], axis=1)
    # Whatever the rung is trained with, all are judged alike.
    weights, share = map(to_numpy, RegionOverlap(model.grid)(local, whole))
    seen = share > 0.5
    overlaps = weights > 0
    own = np.eye(weights.shape[-1], dtype=bool)
    same_cell = (overlaps & own).any(-1)
    apart = seen & ~same_cell
    result = {
        "chance": float(overlaps.mean(-1)[seen].mean()),
        "chance_apart": float(overlaps.mean(-1)[apart].mean()),
        "same_cell": float(same_cell[seen].mean()),
    }
    for name, (query, key) in spaces.items():
        query, key = unit(query[:, :-1]), unit(key[:, -1])
        best = np.einsum("bnqd,bkd->bnqk", query, key).argmax(-1)
        hit = np.take_along_axis(overlaps, best[..., None], -1)[..., 0]
        result[name] = float(hit[seen].mean())
        result[f"{name}_apart"] = float(hit[apart].mean())
    return result


def colour_r2(values, colours):
    """A4: how well a region's mean colour is read off, linearly, from it."""
    half = len(values) // 2
    x = [v.reshape(-1, v.shape[-1]) for v in (values[:half], values[half:])]
    y = [c.reshape(-1, 3) for c in (colours[:half], colours[half:])]
    mean, scale = x[0].mean(0), x[0].std(0) + 1e-6
    x = [np.c_[(v - mean) / scale, np.ones(len(v))] for v in x]
    square = x[0].T @ x[0] + 1e-3 * len(x[0]) * np.eye(x[0].shape[1])
    residual = y[1] - x[1] @ np.linalg.solve(square, x[0].T @ y[0])
    return float(1 - (residual**2).sum() / ((y[1] - y[1].mean(0)) ** 2).sum())


# --- A3, A5 and A6: videos --------------------------------------------------------


def phase_checks(representation, world):
    """A3: motion of a phase and scene by kNN. A5: with the queries' colours changed."""
    clips, motions, scenes = {}, {}, {}
    for split in ("train", "test"):
        plans = plans_of(world, split, PLANS[split])
        clips[split] = middle(np.stack([within(world, *p) for p in enumerate(plans)]))
        motions[split] = [p["motions"][0][i % 3] for i, p in enumerate(plans)]
        scenes[split] = labels_of(plans, "scene")
    gallery = embed_clips(representation, clips["train"])
    result = {}
    # Red and blue change places: the scene keeps its texture and loses its hue.
    asked = {"": clips["test"], "_other_colours": clips["test"][..., ::-1]}
    for suffix, queries in asked.items():
        features = embed_clips(representation, queries)
        for name, labels in (("phase", motions), ("scene", scenes)):
            result[f"{name}_knn{suffix}"] = knn_accuracy(
                features, gallery, labels["test"], labels["train"]
            )
    return result


def within(world, number, plan):
    """A clip within one phase, the first to third in turn."""
    length = world.num_frames // world.phases
    start = length * (number % world.phases) + (length - FRAMES) // 2
    return world.frames(plan)[start : start + FRAMES]


def order_checks(representation, world):
    """A6: order of three different phases, and whether a video runs backwards."""
    features, backwards, labels = {}, {}, {}
    for split in ("train", "test"):
        plans = plans_of(world, split, PLANS[split])
        plans = [p for p in plans if len(set(p["motions"][0])) == 3]
        step = world.num_frames // FRAMES
        clips = middle(np.stack([world.frames(p)[::step] for p in plans]))
        features[split] = embed_clips(representation, clips)
        backwards[split] = embed_clips(representation, clips[:, ::-1])
        labels[split] = labels_of(plans, "motion")
    both = {k: np.concatenate([features[k], backwards[k]]) for k in features}
    direction = {k: [0] * len(v) + [1] * len(v) for k, v in features.items()}
    return {
        "linear": linear_probe_accuracy(
            features["train"], features["test"], labels["train"], labels["test"]
        ),
        "backwards": linear_probe_accuracy(
            both["train"], both["test"], direction["train"], direction["test"]
        ),
    }


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def to_numpy(x):
    return np.asarray(ops.convert_to_numpy(x), np.float32)


# --- tables ---------------------------------------------------------------------


def table(results):
    """A markdown table of A3 and A6: mean, spread and number of seeds."""
    lines = [
        "| rung | seeds | phase kNN | scene kNN | order linear | backwards linear |",
        "|---|---|---|---|---|---|",
    ]
    for rung, name, rows in finished(results):
        cells = [
            spread([r[group][key] for r in rows])
            for group, key in (
                ("phases", "phase_knn"),
                ("phases", "scene_knn"),
                ("order", "linear"),
                ("order", "backwards"),
            )
        ]
        lines.append(f"| ({rung}) {name} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def checks(results):
    """A markdown table of A2, A4 and A5."""
    lines = [
        "| rung | A2 features | A2 embeddings | A2 chance | A2 same cell | "
        "apart: features | apart: embeddings | apart: chance | A4 features | "
        "A4 embeddings | A5 phase kNN | A5 scene kNN |",
        "|---" * 12 + "|",
    ]
    for rung, _, rows in finished(results):
        cells = [
            spread_of_some(rows, group, key)
            for group, key in (
                ("correspondence", "features"),
                ("correspondence", "embeddings"),
                ("correspondence", "chance"),
                ("correspondence", "same_cell"),
                ("correspondence", "features_apart"),
                ("correspondence", "embeddings_apart"),
                ("correspondence", "chance_apart"),
                ("colour_r2", "features"),
                ("colour_r2", "embeddings"),
                ("phases", "phase_knn_other_colours"),
                ("phases", "scene_knn_other_colours"),
            )
        ]
        lines.append(f"| ({rung}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def finished(results):
    """Rungs that have results, with their names and rows."""
    for rung, (name, *_) in LADDER.items():
        if rows := [r for r in results if r["rung"] == rung]:
            yield rung, name, rows


def write_tables(results, root):
    """Put the tables into the card, a part into the README, and return the first."""
    card = root / "keras_avrep/models/controllable_augmentations/CARD.md"
    short = excerpt(table(results), IN_README, README_COLUMNS)
    between_markers(root / "README.md", "controllable_augmentations-claims", short)
    between_markers(card, "controllable_augmentations-claims", table(results))
    between_markers(card, "controllable_augmentations-checks", checks(results))
    return table(results)
