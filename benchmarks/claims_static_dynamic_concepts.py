"""Static and Dynamic Concepts: the ladder of its terms, and checks X1 to X7.

Run by `python benchmarks/claims.py static_dynamic_concepts`. Each rung starts from
the same seed, data and number of steps. The checks are those of the note's section 7.
"""

from pathlib import Path

import numpy as np
from claims_common import (
    between_markers,
    excerpt,
    probed,
    rendered,
    run_folder,
    spread,
    trained,
)
from claims_dclr import clips_of, labels_of, middle, plans_of
from keras import ops

from keras_avrep.evaluation import (
    linear_probe_accuracy,
    write_units,
)
from keras_avrep.models import StaticDynamicConcepts
from keras_avrep.worlds import ScenesWorld

PRESET = "static_dynamic_concepts_tiny"
DEFAULTS = {"steps": 600, "batch_size": 16, "learning_rate": 2e-3}
VV = {"vv": 1.0}
SPLIT = {**VV, "vs": 1.0, "vd": 1.0, "static": 1.0, "dynamic": 1.0}
DECOUPLED = {**SPLIT, "entropy": 0.1}
FAITHFUL = {**DECOUPLED, "fidelity": 1.0}
FULL = {**FAITHFUL, "local": 1.0}
# rung → what it is called, loss weights, further changes
LADDER = {
    "a": ("v-v only", VV, {}),
    "b": ("+ concepts, one pool for all inputs", {**VV, "pooled": 1.0}, {}),
    "c": ("+ static and dynamic concepts, v-s, v-d", SPLIT, {}),
    "d": ("+ wrong-mode entropy", DECOUPLED, {}),
    "e": ("+ fidelity", FAITHFUL, {}),
    "f": ("+ local contrast (all of it)", FULL, {}),
    "f-all": ("(f) with all concepts in the local contrast", FULL, {"top": None}),
    # Without a step of Sinkhorn and nearly cold, a code is the nearest concept.
    "f-argmax": (
        "(f) with the nearest concept as code",
        FULL,
        {"iterations": 0, "epsilon": 1e-4},
    ),
    "f-few": (
        "(f) with 4 concepts of each kind",
        FULL,
        {"num_static": 4, "num_dynamic": 4, "top": 2},
    ),
    "f-many": (
        "(f) with 64 concepts of each kind",
        FULL,
        {"num_static": 64, "num_dynamic": 64},
    ),
}
# What README shows; the card has all of it.
IN_README = [f"({r}) {LADDER[r][0]}" for r in ("a", "f")]
README_COLUMNS = ("seeds", "motion kNN", "motion linear", "scene kNN", "scene linear")
COUNTS = {"pretrain": 1024, "train": 512, "test": 512}
WORLD = ScenesWorld()
KINDS = ("static", "dynamic")
START = 20  # frame at which the clips of the checks start
FRAMES = 8


def train_rung(rung, seed, args):
    """Model, what the training returned, and the manifest of its videos."""
    folder = Path(args.runs) / f"concepts{seed}"
    manifest = rendered(ScenesWorld(seed=seed), folder / "data", COUNTS)
    _, weights, changes = LADDER[rung]
    changes = {"loss_weights": weights, **changes}
    run = run_folder(folder, rung, args)
    return *trained(PRESET, manifest, run, seed, args, changes), manifest


def measure_rung(rung, seed, args, model, manifest):
    """Probes, and the checks of a model that has concepts."""
    clip = StaticDynamicConcepts.presets[PRESET]["clip"]
    run = run_folder(Path(args.runs) / f"concepts{seed}", rung, args)
    write_units(run / "units.npz", model, manifest.split("test"), clip)
    result = probed(model, PRESET, manifest, seed)
    if "concepts" in model.inference_models():
        result["concepts"] = check_concepts(model, ScenesWorld(seed=seed))
    return result


def check_concepts(model, world):
    """X1 to X4 and X6 of a model that has concepts."""
    splits = {"train": plans_of(world, "train", 512), "test": plans_of(world, "test")}
    clips = {split: middle(clips_of(world, p)) for split, p in splits.items()}
    read = {split: read_rgb(model, x) for split, x in clips.items()}
    logits = {split: x["logits"] for split, x in read.items()}
    columns = {kind: model.dictionary.columns(kind) for kind in KINDS}
    result = {
        "probes": concept_probes(logits, splits, columns),
        "usage": {kind: usage(logits["test"][:, columns[kind]]) for kind in KINDS},
        "refitted_fidelity": refitted_fidelity(read),
        "overlap": overlap(model, world, splits["test"], logits["test"]),
        "wrong_entropy": wrong_entropy(model, clips["test"], columns),
    }
    if "rebuilt" in read["test"]:
        cosine = unit(read["test"]["rebuilt"]) * unit(read["test"]["features"])
        result["fidelity"] = float(cosine.sum(axis=-1).mean())
    return result


def read_rgb(model, clips, batch_size=64):
    """Features, logits and rebuilt features of clips, as at inference."""
    calibrated = model.calibrated_model()
    parts = []
    for first in range(0, len(clips), batch_size):
        found = calibrated(clips[first : first + batch_size], training=False)
        names = [n for n in ("features", "logits", "rebuilt") if n in found]
        parts.append({n: ops.convert_to_numpy(found[n]) for n in names})
    return {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


def concept_probes(logits, splits, columns):
    """X1: what a linear probe reads from the concepts of each kind."""
    return {
        kind: {
            label: linear_probe_accuracy(
                logits["train"][:, columns[kind]],
                logits["test"][:, columns[kind]],
                labels_of(splits["train"], label),
                labels_of(splits["test"], label),
            )
            for label in ("motion", "scene")
        }
        for kind in KINDS
    }


def usage(logits, temperature=0.1):
    """X3: perplexity of the mean distribution, as a share of the concepts."""
    mean = np.exp(log_softmax(logits / temperature)).mean(axis=0)
    entropy = -(mean * np.log(np.maximum(mean, 1e-12))).sum()
    return float(np.exp(entropy) / len(mean))


def refitted_fidelity(read, penalty=1e-3):
    """X4: cosine of held-out features and their linear fit from the logits.

    Fitted anew for every rung, so that rungs without decoders compare.
    """
    known, held = (
        np.c_[read[s]["logits"], np.ones(len(read[s]["logits"]))]
        for s in ("train", "test")
    )
    gram = known.T @ known + penalty * np.eye(known.shape[1])
    weights = np.linalg.solve(gram, known.T @ unit(read["train"]["features"]))
    cosine = unit(held @ weights) * unit(read["test"]["features"])
    # The mean feature alone has a cosine too: it is the floor.
    floor = unit(read["train"]["features"]).mean(axis=0, keepdims=True)
    floor = unit(read["test"]["features"]) @ unit(floor).T
    return {
        "cosine": float(cosine.sum(axis=-1).mean()),
        "mean_feature": float(floor.mean()),
    }


def overlap(model, world, plans, first):
    """X6: concepts that stay in both of two clips of a video, and of two videos."""
    later = np.stack(
        [world.frames(p)[START + FRAMES : START + 2 * FRAMES] for p in plans]
    )
    second = read_rgb(model, middle(later))["logits"]
    # The preset's filter, also on the rung that trains without one.
    top = StaticDynamicConcepts.presets[PRESET]["task"]["top"]
    stay = [x > np.sort(x, axis=1)[:, -top, None] for x in (first, second)]
    return {
        "same_video": float((stay[0] & stay[1]).sum(axis=1).mean()),
        "other_video": float((stay[0] & np.roll(stay[1], 1, 0)).sum(axis=1).mean()),
        "chance": (top - 1) ** 2 / first.shape[1],
        "most": top - 1,
    }


def wrong_entropy(model, clips, columns, batch_size=64):
    """X2: entropy over the concepts that an input should not tell apart, 0 to 1."""
    kept = model.get_weights()
    found = {"static": [], "dynamic": []}
    for first in range(0, len(clips), batch_size):
        part = ops.cast(clips[first : first + batch_size], "float32")
        inputs = model.map_inputs(model.get_layer("normalise")(part))
        for mode, kind in (("dynamic", "static"), ("static", "dynamic")):
            # Batch statistics, as in training: the calibrated ones are of RGB clips.
            feature_map = model.backbone(inputs[mode], training=True)
            features = ops.mean(ops.cast(feature_map, "float32"), axis=(1, 2, 3))
            read = model.dictionary.read(mode, feature_map, features, training=True)
            logits = ops.convert_to_numpy(read["logits"])[:, columns[kind]]
            log = log_softmax(logits / model.concept_temperature)
            entropy = -(np.exp(log) * log).sum(axis=1) / np.log(log.shape[1])
            found[kind].append(entropy.mean())
    model.set_weights(kept)
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def log_softmax(x):
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def table(results):
    """A markdown table of the results: mean, spread and number of seeds."""
    head = ["rung", "seeds", "motion kNN", "motion linear", "scene kNN"]
    head += ["scene linear", "motion R@1"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
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
    """A markdown table of X1 to X4 and X6: mean and spread over seeds."""
    lines = ["| check | rung | measured |", "|---|---|---|"]
    for rung in LADDER:
        rows = [r["concepts"] for r in results if r["rung"] == rung and "concepts" in r]
        if rows:
            lines += [f"| {x} | ({rung}) | {t} |" for x, t in check_texts(rows).items()]
    return "\n".join(lines)


def check_texts(rows):
    """What each check measured on one rung, in words."""

    def of(*path):
        values = rows
        for name in path:
            values = [v[name] for v in values]
        return values

    probes = "; ".join(
        f"{kind} concepts scene {spread(of('probes', kind, 'scene'))}, "
        f"motion {spread(of('probes', kind, 'motion'))}"
        for kind in KINDS
    )
    entropies = ", ".join(
        f"{kind} {spread(of('wrong_entropy', kind))}" for kind in KINDS
    )
    used = ", ".join(f"{kind} {spread(of('usage', kind))}" for kind in KINDS)
    fitted = np.mean(of("refitted_fidelity", "cosine"))
    floor = np.mean(of("refitted_fidelity", "mean_feature"))
    fidelity = f"cosine {fitted:.3f} by a linear fit (mean feature {floor:.3f})"
    if "fidelity" in rows[0]:
        fidelity += f", {np.mean(of('fidelity')):.3f} by the decoder"
    shared = ", ".join(
        f"{words} {np.mean(of('overlap', name)):.2f}"
        for words, name in (
            ("same video", "same_video"),
            ("other video", "other_video"),
            ("chance", "chance"),
        )
    )
    return {
        "X1": f"linear probe of logits: {probes}",
        "X2": f"entropy on the wrong input, % of the most: {entropies}",
        "X3": f"concepts in use, % of all: {used}",
        "X4": fidelity,
        "X6": f"concepts staying in both clips, of {rows[0]['overlap']['most']}: "
        f"{shared}",
    }


def write_tables(results, root):
    """Put the tables into the card, a part into the README, and return the first."""
    card = root / "keras_avrep/models/static_dynamic_concepts/CARD.md"
    short = excerpt(table(results), IN_README, README_COLUMNS)
    between_markers(root / "README.md", "static_dynamic_concepts-claims", short)
    between_markers(card, "static_dynamic_concepts-claims", table(results))
    between_markers(card, "static_dynamic_concepts-checks", checks(results))
    return table(results)
