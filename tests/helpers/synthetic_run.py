"""A run directory made of numpy arrays, structured like a real one."""

import json
from pathlib import Path

import numpy as np

SCENES = ["beach", "forest", "<b>city</b>", "studio & stage"]
MOTIONS = ["spin", "bounce", "slide"]
FOLDER = "/srv/somebody/videos"


def write_run(root: Path, size=48, queries=4, clips=90, labelled=True) -> Path:
    """Writes a full run directory and returns it."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "summary.json").write_text(json.dumps(_summary(labelled)))
    rejects = [
        {"path": f"{FOLDER}/broken/<script>x</script>.mp4", "reason": "moov missing"},
        {"path": "short.mp4", "reason": f"{FOLDER}/short.mp4: only 3 frames"},
    ]
    lines = [json.dumps(reject) for reject in rejects]
    (root / "rejects.jsonl").write_text("\n".join(lines) + "\n")
    for number, name in enumerate(("dclr", "baseline")):
        folder = root / name
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(number)
        _write_history(folder, rng, name == "dclr")
        _write_features(folder, rng, clips, 0.75 - 0.35 * number, labelled)
        _write_gallery(folder, rng, size, queries, 0.75 - 0.4 * number, labelled)
        _write_maps(folder, size)
        if name == "dclr":
            _write_units(folder, size)
    return root


def moving_clip(size: int, scene: int, motion: int, frames=8) -> np.ndarray:
    """A disc that moves its own way over a textured ground."""
    y, x = np.mgrid[:size, :size] / size
    ground = 90 + 60 * np.sin((3 + 4 * scene) * x + scene) * np.cos(5 * y * (scene + 1))
    tint = np.array([[1.2, 1.0, 0.7], [0.6, 1.1, 0.6], [0.8, 0.9, 1.2], [1, 0.8, 1]])
    clip = np.repeat((ground[..., None] * tint[scene])[None], frames, axis=0)
    for t in range(frames):
        phase = t / frames
        centre = [
            (0.5 + 0.3 * np.cos(6.28 * phase), 0.5 + 0.3 * np.sin(6.28 * phase)),
            (0.5, 0.2 + 0.6 * abs(1 - 2 * phase)),
            (0.15 + 0.7 * phase, 0.5),
        ][motion]
        disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 0.018
        clip[t][disc] = (240, 80, 60)
    return clip.clip(0, 255).astype("uint8")


def _summary(labelled: bool) -> dict:
    labels = {"scene": SCENES, "motion": MOTIONS} if labelled else {}

    def model(lift):
        if not labels:
            scores = {"r_at_1": 0.2 + lift, "r_at_5": 0.4 + lift}
            return {"retrieval": {"video": scores}, "probe": {}}
        return {
            "retrieval": {
                label: {"r_at_1": 0.42 + lift, "r_at_5": 0.7 + lift, "r_at_10": 0.8}
                for label in labels
            },
            "probe": {
                label: {
                    "linear": 0.5 + lift,
                    "knn": 0.45 + lift,
                    "chance": 1 / len(classes),
                }
                for label, classes in labels.items()
            },
        }

    def train(names):
        return {
            "steps": 1200,
            "clips_per_second": 84.31,
            "data_wait_fraction": 0.07,
            "seconds": 930.4,
            "losses": {name: 2.345 for name in names},
        }

    return {
        "data": {
            "videos": 480,
            "rejected": 2,
            "seconds": 5321.0,
            "folder": FOLDER,
            "labels": labels,
        },
        "train": {
            "steps": 1200,
            "dclr": train(["vv", "vs", "sv", "vd", "dv", "activation"]),
            "baseline": train(["vv"]),
        },
        "titles": {"dclr": "DCLR"},
        "dclr": model(0.17),
        "baseline": model(0.0),
        "export": [
            {
                "format": "onnx",
                "path": "/srv/somebody/run/export/model.onnx",
                "bytes": 33_200_000,
                "max_abs_diff": 3.1e-6,
                "latency_ms": 12.4,
                "retrieval_agreement": 1.0,
            },
            {
                "format": "litert",
                "path": "export/model.tflite",
                "bytes": 8_400_000,
                "max_abs_diff": 0.021,
                "latency_ms": 21.9,
                "retrieval_agreement": 0.97,
                "note": "int8 weights, <i>dynamic</i> range",
            },
        ],
        "seed": 7,
        "versions": {"keras": "3.15.1", "keras_avrep": "0.1.0", "python": "3.11.2"},
        "seconds": 2100.0,
    }


def _write_history(folder: Path, rng, full: bool) -> None:
    terms = ["vv", "vs", "sv", "vd", "dv", "activation"] if full else ["vv"]
    names = [f"loss_{term}" for term in terms]
    rows = ["step,loss," + ",".join(names) + ",clips_per_second,embedding_std"]
    for step in range(10, 1201, 10):
        fall = 2 + 4 * np.exp(-step / 350)
        noise = rng.normal(0, 0.15, len(terms))
        values = fall * (0.6 + 0.1 * np.arange(len(terms))) + noise
        numbers = [step, sum(values), *values, 84 + rng.normal(), 0.05 + step / 30000]
        rows.append(",".join(f"{number:.5g}" for number in numbers))
    # As an interrupted run leaves it.
    rows.append("1210,nan")
    (folder / "history.csv").write_text("\n".join(rows))
    (folder / "probe.csv").write_text("step,motion\n600,0.31\n1200,0.42\n")


def _write_features(folder: Path, rng, clips: int, spread: float, labelled) -> None:
    centres = rng.normal(size=(len(SCENES) * len(MOTIONS), 32))
    arrays = {}
    for split in ("train", "test"):
        scene, motion = rng.integers(4, size=clips), rng.integers(3, size=clips)
        near = centres[scene * 3 + motion] * spread
        arrays[f"{split}_features"] = near + rng.normal(size=near.shape)
        arrays[f"{split}_paths"] = np.array(
            [f"{FOLDER}/{split}/clip_{i}.mp4" for i in range(clips)]
        )
        if labelled:
            arrays[f"{split}_label_scene"] = np.array(SCENES)[scene]
            arrays[f"{split}_label_motion"] = np.array(MOTIONS)[motion]
    np.savez(folder / "features.npz", **arrays)


def _write_gallery(folder: Path, rng, size, queries, accuracy, labelled) -> None:
    tests, found, names, hits = [], [], [], []
    for query in range(queries):
        scene = query % 4
        tests.append(moving_clip(size, scene, query % 3))
        right = rng.random(5) < accuracy
        chosen = np.where(right, scene, (scene + 1) % 4)
        found.append([moving_clip(size, s, k % 3) for k, s in enumerate(chosen)])
        names.append([SCENES[s] for s in chosen])
        hits.append(right)
    words = {
        "test_labels": np.array([SCENES[q % 4] for q in range(queries)]),
        "neighbour_labels": np.array(names),
    }
    np.savez(
        folder / "gallery.npz",
        test_clips=np.array(tests),
        neighbour_clips=np.array(found),
        hits=np.array(hits),
        **(words if labelled else {}),
    )


def _write_maps(folder: Path, size: int) -> None:
    frames = np.array([moving_clip(size, k, k % 3) for k in range(3)])
    y, x = np.mgrid[:6, :6] / 5
    blob = np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) * 8) + 0.1
    static = np.repeat(np.repeat(blob[None, None], 3, 0), 2, 1)
    dynamic = np.stack([static[:, 0], static[:, 0, :, ::-1]], axis=1)
    maps = {"static": static, "dynamic": dynamic, "rgb": static + dynamic}
    maps = {k: v / v.mean(axis=(1, 2, 3), keepdims=True) for k, v in maps.items()}
    np.savez(folder / "maps.npz", frames=frames, **maps)


def _write_units(folder: Path, size: int) -> None:
    """Units that are bright where the disc is: by scene, and by motion."""
    arrays = {}
    y, x = np.mgrid[:6, :6] / 5
    blob = np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) * 8) + 0.1
    for kind, count in (("static", 4), ("dynamic", 3)):
        units = range(count)
        pairs = [
            [(u, k % 3) if kind == "static" else (k, u) for k in range(4)]
            for u in units
        ]
        clips = [[moving_clip(size, *pair) for pair in row] for row in pairs]
        arrays[f"{kind}_clips"] = np.array(clips)
        maps = np.tile(blob.astype("float32"), (count, 4, 2, 1, 1))
        arrays[f"{kind}_maps"] = maps
        arrays[f"{kind}_units"] = np.arange(count) + 10
        arrays[f"{kind}_strength"] = maps.mean(axis=(2, 3, 4))
    np.savez(folder / "units.npz", **arrays)
