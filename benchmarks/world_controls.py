"""Controls of the world `scenes`: is it hard in the right way?

    python benchmarks/world_controls.py --out benchmarks/results/world_controls.json

Measures, before any self-supervised figure is looked at: a supervised model of
the demo's size and budget on motion (at least 80 %), the same on single frames
(chance, 12.5 %), and a linear probe on untrained features of frame differences
(well above chance). About 10 minutes on two CPU cores.
"""

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.evaluation import knn_accuracy, linear_probe_accuracy
from keras_avrep.worlds import ScenesWorld
from keras_avrep.worlds.scenes import MOTIONS

FRAMES = 8


def videos_of(world, split, count):
    """Whole videos with the number of their motion, straight from the renderer."""
    plans = [world.plan(split, index) for index in range(count)]
    names, numbers = np.unique(
        [p["labels"]["motion"] for p in plans], return_inverse=True
    )
    assert len(names) == 8
    return np.stack([world.frames(p) for p in plans]), numbers


def random_clips(videos, rows, rng):
    """One clip of each of some videos, as pretraining draws them."""
    starts = rng.integers(videos.shape[1] - FRAMES + 1, size=len(rows))
    clips = [videos[r, s : s + FRAMES] for r, s in zip(rows, starts, strict=True)]
    return np.stack(clips)


def network(width, size):
    backbone = VideoResNetBackbone(
        blocks=[1, 1, 1, 1], width_multiplier=width, image_shape=(FRAMES, size, size, 3)
    )
    video = keras.Input((FRAMES, size, size, 3))
    x = keras.layers.Rescaling(1 / 58, offset=-2.1)(video)
    features = keras.layers.GlobalAveragePooling3D()(backbone(x))
    return keras.Model(video, keras.layers.Dense(8)(features)), keras.Model(
        video, features
    )


def supervised(train, test, width, steps, batch, seed, control=lambda x: x):
    keras.utils.set_random_seed(seed)
    model, _ = network(width, train[0].shape[2])
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        rows = rng.choice(len(train[0]), batch, replace=False)
        clips = control(random_clips(train[0], rows, rng))
        model.train_on_batch(clips.astype("float32"), train[1][rows])
    clips = control(random_clips(test[0], np.arange(len(test[0])), rng))
    logits = model.predict(clips.astype("float32"), verbose=0)
    hit = logits.argmax(1) == test[1]
    each = [float(hit[test[1] == motion].mean()) for motion in range(8)]
    print(dict(zip(sorted(MOTIONS), np.round(each, 2).tolist(), strict=True)))
    return float(hit.mean())


def middle_frame(clips):
    return np.repeat(clips[:, FRAMES // 2, None], FRAMES, axis=1)


def untrained_differences(train, test, width, seed):
    keras.utils.set_random_seed(seed)
    _, features = network(width, train[0].shape[2])
    rng = np.random.default_rng(seed)

    def embed(videos):
        clips = random_clips(videos, np.arange(len(videos)), rng).astype("float32")
        difference = np.diff(clips, axis=1, append=clips[:, :1])
        return features.predict(127 + difference, verbose=0)

    a, b = embed(train[0]), embed(test[0])
    return {
        "linear": linear_probe_accuracy(a, b, train[1], test[1]),
        "knn": knn_accuracy(b, a, test[1], train[1]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out")
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--width", type=float, default=0.1875)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--videos", type=int, default=1024)
    parser.add_argument("--contrast", type=float, default=0.35)
    parser.add_argument(
        "--single-frame", action=argparse.BooleanOptionalAction, default=True
    )
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    results = []
    for seed in range(args.seeds):
        began = time.time()
        world = ScenesWorld(size=args.size, seed=seed, scene_contrast=args.contrast)
        train = videos_of(world, "train", args.videos)
        test = videos_of(world, "test", 512)
        budget = (args.width, args.steps, args.batch, seed)
        row = {"seed": seed}
        row["untrained_differences"] = untrained_differences(
            train, test, args.width, seed
        )
        print(row, time.time() - began, flush=True)
        row["supervised"] = supervised(train, test, *budget)
        print(row, time.time() - began, flush=True)
        if not args.single_frame:
            results.append(row)
            continue
        row["supervised_single_frame"] = supervised(train, test, *budget, middle_frame)
        row["seconds"] = time.time() - began
        print(row, flush=True)
        results.append(row)
    if args.out:
        content = {"configuration": vars(args), "chance": 0.125, "results": results}
        with open(args.out, "w") as file:
            json.dump(content, file, indent=1)


if __name__ == "__main__":
    main()
