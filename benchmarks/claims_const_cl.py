"""ConST-CL: what regions add to whole clips, on videos of two sprites.

Run by `python benchmarks/claims.py const_cl`. Each rung starts from the same seed,
data and number of steps. Measured with frozen features: probes of the whole clip's
representation; the motion of each sprite from its box, by a linear probe of the
region features and by the localiser's head (mean average precision over frames, with
true boxes and with shifted ones); how alike the regions of a video are; tracking of
the first sprite. The localiser is trained with its backbone, too, as published. Rungs
named `kept_*` have videos whose motions stay the same, before one of 16 scenes, and
gray views: there plain contrast needs the motion, too.
"""

from pathlib import Path

import keras
import numpy as np
from claims_common import (
    between_markers,
    excerpt,
    probed,
    rendered,
    run_folder,
    spread,
    trained,
    untrained,
)
from keras import ops

from keras_avrep.data import read_box_tracks
from keras_avrep.evaluation import (
    frame_mean_average_precision,
    linear_probe_accuracy,
    one_pass_evaluation,
)
from keras_avrep.losses import masked_binary_crossentropy, response_loss
from keras_avrep.models import (
    ActionLocaliser,
    ConSTCL,
    SiameseTracker,
    track,
)
from keras_avrep.models.const_cl import ConSTCLViews, RegionFeatures
from keras_avrep.models.pixel_features import normalise_layer
from keras_avrep.worlds import ScenesWorld
from keras_avrep.worlds.scenes import MOTIONS

PRESET = "const_cl_tiny"
DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
# rung → what it is called, constructor arguments that differ from the preset's
LADDER = {
    "untrained": ("untrained", {}),
    "cvrl": ("global term only (CVRL)", ConSTCL.baseline),
    "const_cl": ("ConST-CL", {}),
    "shared": ("one last stage for both", {"branch": "shared"}),
    "mlp": ("MLP instead of the decoder", {"local_head": "mlp"}),
    # A clip has four steps, so five of context, which the note names too, are too many.
    "context1": ("one step of context", {"context_length": 1}),
    "index": ("the same box is the positive", {"match": "index"}),
    "geometric": ("the nearest box is the positive", {"match": "geometric"}),
    "own_video": (
        "regions of the same video are negatives",
        {"same_video_negatives": True},
    ),
    "shared_draw": ("boxes from one number each", {}),
    "light": ("local term at 0.01", {"loss_weights": {"global": 1.0, "local": 0.01}}),
}
LIGHT = LADDER["light"][1]
KEPT = {
    "untrained": ("untrained", {}),
    "cvrl": ("global term only (CVRL)", ConSTCL.baseline),
    "const_cl": ("ConST-CL", {}),
    "light": ("local term at 0.01", LIGHT),
    "own_video_light": (
        "local term at 0.01, regions of the same video are negatives",
        {**LIGHT, "same_video_negatives": True},
    ),
    "own_video": LADDER["own_video"],
    "own_video_geometric": (
        "regions of the same video are negatives, the nearest box is the positive",
        {"same_video_negatives": True, "match": "geometric"},
    ),
    "boxes": ("boxes of the sprites", {"mask_targets": True}),
    "boxes_own_video": (
        "boxes of the sprites, the same sprite is the positive, the other a negative",
        {"mask_targets": True, "match": "index", "same_video_negatives": True},
    ),
    # Without context a region can be told from nothing but itself.
    "boxes_mlp": (
        "the same with an MLP instead of the decoder",
        {
            "mask_targets": True,
            "match": "index",
            "same_video_negatives": True,
            "local_head": "mlp",
        },
    ),
    "mlp_own_video": (
        "the nearest box is the positive, regions of the same video are negatives, "
        "an MLP instead of the decoder",
        {"same_video_negatives": True, "match": "geometric", "local_head": "mlp"},
    ),
}
LADDER |= {f"kept_{r}": (f"motion kept: {n}", c) for r, (n, c) in KEPT.items()}
# What README shows, the method and its baseline; the card has all of it.
SHOWN = ("cvrl", "const_cl", "kept_cvrl", "kept_boxes_own_video")
IN_README = [LADDER[rung][0] for rung in SHOWN]
README_COLUMNS = (
    "seeds",
    "motion in a box, linear",
    "mAP, true boxes",
    "mAP, shifted boxes",
    "mAP, fine-tuned",
    "tracking precision",
    "tracking success",
)
KEPT_WORLD = {"switch_probability": 0.0, "fresh_scenes": False}
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
WORLD = ScenesWorld(num_sprites=2)
START, FRAMES, SIZE = 20, 8, 48  # the clips whose boxes are looked at
BATCH = 32  # of them
SHIFT = 0.15  # of a box's sides, at most, where boxes are shifted
# Frozen features are learned from at one rate, whole networks with a warm-up.
EPOCHS = {"frozen": 12, "tuned": 10}
LOCALISER = {"num_heads": 3, "head_dim": 32, "num_layers": 1, "dropout": 0.1}
TRACKER = {"exemplar_size": 48, "search_size": 96, "num_frames": 4}
# Larger pictures: a sprite stays inside for longer.
TRACKED = {"size": 128, "frames": 16, "pairs": 512, "sequences": 40, "epochs": 3}


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    kept = rung.startswith("kept_")
    folder = Path(args.runs) / f"const_cl{seed}{'_kept' if kept else ''}"
    manifest = rendered(world_of(rung, seed), folder / "data", COUNTS)
    if rung.endswith("untrained"):
        return *untrained(PRESET, manifest, seed, args), manifest
    changes = dict(LADDER[rung][1])
    if kept or rung == "shared_draw":
        views = {**ConSTCL.presets[PRESET]["views"], "seed": seed}
        views |= {"gray": 1.0} if kept else {"shared_draw": True}
        changes["views"] = ConSTCLViews(**views)
    run = run_folder(folder, rung, args)
    boxes = read_box_tracks(manifest).tracks if "_boxes" in rung else None
    return *trained(PRESET, manifest, run, seed, args, changes, boxes), manifest


def measure_rung(rung, seed, args, model, manifest):
    """Probes of clips and boxes, localisation and tracking."""
    world = world_of(rung, seed)
    known = sprites(world, "train", COUNTS["train"])
    asked = sprites(world, "test", COUNTS["test"])
    backbone = model.region_backbone()
    regions = [regions_of(backbone, x) for x in (known, asked)]
    return {
        **probed(model, PRESET, manifest, seed),
        "region_motion_linear": region_probe(regions, known, asked, seed),
        "region_variance_within": variance_within(regions[1]),
        "region_variance": variances(regions[1]),
        "localisation": localise(backbone, known, asked, seed),
        "localisation_tuned": localise(
            model.region_backbone(), known, asked, seed, True
        ),
        "tracking": follow(backbone, world_of(rung, seed, size=TRACKED["size"]), seed),
    }


def world_of(rung, seed, **options):
    """The world whose videos a rung learns from and is measured on."""
    kept = KEPT_WORLD if rung.startswith("kept_") else {}
    return ScenesWorld(num_sprites=2, seed=seed, **kept, **options)


# --- boxes and what moves in them -----------------------------------------------


def sprites(world, split, count):
    """Clips, boxes of both sprites in the middle frame, and their motions."""
    plans = [world.plan(split, i) for i in range(count)]
    frames = np.stack([world.frames(p)[START : START + FRAMES] for p in plans])
    middle = START + FRAMES // 2
    return {
        "video": resized(frames),
        "boxes": np.stack([world.boxes(p)[:, middle] for p in plans]),
        "motions": np.array(
            [[MOTIONS.index(m[0]) for m in p["motions"]] for p in plans]
        ),
    }


def resized(frames):
    """Clips as the network takes them."""
    x = ops.cast(ops.reshape(frames, (-1, *frames.shape[2:])), "float32")
    x = ops.convert_to_numpy(ops.image.resize(x, (SIZE, SIZE), antialias=True))
    return x.reshape(*frames.shape[:2], SIZE, SIZE, 3)


def regions_of(backbone, asked):
    """Features under the boxes of both sprites, `(videos, 2, features)`."""
    video, boxes = keras.Input((FRAMES, SIZE, SIZE, 3)), keras.Input((2, 4))
    maps = backbone(normalise_layer()(video))
    model = keras.Model([video, boxes], RegionFeatures()(maps, boxes))
    return model.predict([asked["video"], asked["boxes"]], verbose=0)


def region_probe(regions, known, asked, seed):
    """Motion of a sprite from the features under its box, by a linear probe."""
    train, test = (x.reshape(-1, x.shape[-1]) for x in regions)
    return linear_probe_accuracy(
        train, test, known["motions"].ravel(), asked["motions"].ravel(), seed=seed
    )


def variance_within(regions):
    """Share of the variance of unit region features that is within videos."""
    found = variances(regions)
    return found["within"] / found["total"]


def variances(regions):
    """Variance of unit region features, within videos and of all of them."""
    unit = regions / np.linalg.norm(regions, axis=-1, keepdims=True)
    total = unit.reshape(-1, unit.shape[-1]).var(axis=0).sum()
    within = unit.var(axis=1).sum(axis=-1).mean()
    return {"within": float(within), "total": float(total)}


def localise(backbone, known, asked, seed, tune=False):
    """Mean average precision over frames of a localiser, its backbone frozen or not."""
    keras.utils.set_random_seed(seed)
    model = ActionLocaliser(backbone, len(MOTIONS), train_backbone=tune, **LOCALISER)
    epochs, rate = EPOCHS["tuned" if tune else "frozen"], 2e-3
    if tune:
        steps = epochs * len(known["video"]) // BATCH
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - steps // 10, warmup_target=rate, warmup_steps=steps // 10
        )
    model.compile(
        keras.optimizers.Adam(rate), masked_binary_crossentropy, jit_compile=False
    )
    inputs = {name: known[name] for name in ("video", "boxes")}
    labels = np.eye(len(MOTIONS), dtype="float32")[known["motions"]]
    model.fit(inputs, labels, epochs=epochs, batch_size=BATCH, verbose=0)
    rng = np.random.default_rng(seed)
    boxes = {"true": asked["boxes"], "shifted": shifted(asked["boxes"], rng)}
    return {
        name: frame_map(model, asked, found)["mean_average_precision"]
        for name, found in boxes.items()
    }


def shifted(boxes, rng):
    """Boxes that a detector might find: every side moved a little."""
    sides = boxes[..., 2:] - boxes[..., :2]
    moves = rng.uniform(-SHIFT, SHIFT, boxes.shape)
    moved = boxes + moves * np.concatenate([sides, sides], axis=-1)
    return np.clip(moved, 0, 1).astype("float32")


def frame_map(model, asked, boxes):
    """Scores of every class for every box, judged against the true boxes."""
    inputs = {"video": asked["video"], "boxes": boxes}
    scores = model.scores.predict(inputs, verbose=0)
    count = len(MOTIONS)
    truth, detections = {}, {}
    for frame, motions in enumerate(asked["motions"]):
        truth[frame] = {"boxes": asked["boxes"][frame], "labels": motions}
        detections[frame] = {
            "boxes": np.repeat(boxes[frame], count, axis=0),
            "labels": np.tile(np.arange(count), len(motions)),
            "scores": scores[frame].ravel(),
        }
    return frame_mean_average_precision(detections, truth)


# --- tracking -------------------------------------------------------------------


def follow(backbone, world, seed):
    """Precision and success of a tracker of the first sprite."""
    keras.utils.set_random_seed(seed)
    tracker = SiameseTracker.for_backbone(backbone, **TRACKER)
    tracker.compile(keras.optimizers.Adam(1e-3), response_loss, jit_compile=False)
    inputs, shifts = training_pairs(tracker, world, np.random.default_rng(seed))
    tracker.fit(inputs, shifts, epochs=TRACKED["epochs"], batch_size=8, verbose=0)
    truth, predicted, still = {}, {}, {}
    for name, frames, boxes in sequences(world, "test", TRACKED["sequences"]):
        truth[name] = boxes
        predicted[name] = track(tracker, frames, boxes[0])
        still[name] = np.repeat(boxes[:1], len(boxes), axis=0)
    return {
        "sequences": len(truth),
        **scores_of(predicted, truth),
        "standing_still": scores_of(still, truth),
    }


def scores_of(predicted, truth):
    found = one_pass_evaluation(predicted, truth)
    return {name: found[name] for name in ("precision", "success")}


def sequences(world, split, count):
    """Runs of frames in which the first sprite moves along and stays inside."""
    found, index = 0, 0
    while found < count:
        plan = world.plan(split, index)
        index += 1
        boxes = world.boxes(plan)[0]
        start = longest_inside(boxes)
        if plan["motions"][0][0] not in MOTIONS[:4] or start is None:
            continue
        part = slice(start, start + TRACKED["frames"])
        yield str(index), world.frames(plan)[part], corner_boxes(boxes[part])
        found += 1


def longest_inside(boxes):
    """First frame of a long enough run whose boxes touch no edge, or `None`."""
    inside = (boxes.min(axis=1) > 0) & (boxes.max(axis=1) < 1)
    wanted = TRACKED["frames"]
    for start in range(len(boxes) - wanted + 1):
        if inside[start : start + wanted].all():
            return start
    return None


def corner_boxes(boxes):
    """From relative `y1, x1, y2, x2` to `left, top, width, height` in pixels."""
    y1, x1, y2, x2 = (boxes * TRACKED["size"]).T
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)


def training_pairs(tracker, world, rng):
    """Exemplars, search images with the target somewhere near the middle, shifts."""
    pairs, shifts = [], []
    for _, frames, boxes in sequences(world, "train", TRACKED["pairs"] // 4):
        for _ in range(4):
            shift = rng.uniform(-16, 16, 2)
            places = [rng.integers(len(frames)) for _ in range(2)]
            seen = [(frames[place], boxes[place]) for place in places]
            pairs.append(tracker.training_pair(*seen, shift))
            shifts.append(shift)
    exemplars, searches = (np.stack(x) for x in zip(*pairs, strict=True))
    return {"exemplar": exemplars, "search": searches}, np.array(shifts, "float32")


# --- tables ---------------------------------------------------------------------

COLUMNS = {
    "motion linear": lambda r: r["probe"]["motion"]["linear"],
    "scene linear": lambda r: r["probe"]["scene"]["linear"],
    "motion in a box, linear": lambda r: r["region_motion_linear"],
    # Not measured of the first rungs.
    "variance of boxes within videos": lambda r: r.get("region_variance_within"),
    "mAP, true boxes": lambda r: r["localisation"]["true"],
    "mAP, shifted boxes": lambda r: r["localisation"]["shifted"],
    # Not measured of the first rungs.
    "mAP, fine-tuned": lambda r: r.get("localisation_tuned", {}).get("true"),
    "tracking precision": lambda r: r["tracking"]["precision"],
    "tracking success": lambda r: r["tracking"]["success"],
}


def table(results):
    """A markdown table of the results: mean, spread and number of seeds."""
    head = ["rung", "seeds", *COLUMNS]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for rung, (name, _) in LADDER.items():
        rows = [r for r in results if r["rung"] == rung]
        if rows:
            columns = [[read(r) for r in rows] for read in COLUMNS.values()]
            cells = [cell(column) for column in columns]
            lines.append("| " + " | ".join([name, str(len(rows)), *cells]) + " |")
    return "\n".join(lines)


def cell(column):
    """Mean and spread of what was measured, and on how many seeds if not on all."""
    measured = [value for value in column if value is not None]
    if not measured:
        return "–"
    some = f" ({len(measured)} seeds)" if len(measured) < len(column) else ""
    return spread(measured) + some


def write_tables(results, root):
    """Put the table into the card, some rows into README, and return it."""
    card = root / "keras_avrep/models/const_cl/CARD.md"
    between_markers(card, "const_cl-claims", table(results))
    short = excerpt(table(results), IN_README, README_COLUMNS)
    between_markers(root / "README.md", "const_cl-claims", short)
    return table(results)
