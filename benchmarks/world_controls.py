"""Controls of the world `scenes`: is it hard in the right way?

    python benchmarks/world_controls.py --out benchmarks/results/world_controls.json

Looks at no self-supervised model. A supervised network of the ladder's size and
number of steps should read the motion (at least 80 %) and the scene; on single
frames it should read the motion no better than chance (12.5 %), the scene still;
untrained features of frame differences should hold the motion well above chance.
About 8 minutes a seed on two CPU cores.
"""

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The package does it, too, but Keras is imported before it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from PIL import Image
from provenance import commit

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.cli.run_folder import versions
from keras_avrep.evaluation import knn_accuracy, linear_probe_accuracy
from keras_avrep.worlds import ScenesWorld
from keras_avrep.worlds.scenes import MOTIONS
from keras_avrep.worlds.textures import TEXTURES

FRAMES = 8
CLASSES = {"motion": sorted(MOTIONS), "scene": list(TEXTURES)}


def videos_of(world, split, count, size):
    """Whole videos with the numbers of their labels, straight from the renderer."""
    plans = [world.plan(split, index) for index in range(count)]
    labels = {
        name: np.array([classes.index(p["labels"][name]) for p in plans])
        for name, classes in CLASSES.items()
    }
    return np.stack([smaller(world.frames(p), size) for p in plans]), labels


def smaller(frames, size):
    """Frames as the loader scales them down."""
    images = [Image.fromarray(f).resize((size, size), Image.BOX) for f in frames]
    return np.stack([np.asarray(image) for image in images])


def random_clips(videos, rows, rng):
    """One clip of each of some videos, as pretraining draws them."""
    starts = rng.integers(videos.shape[1] - FRAMES + 1, size=len(rows))
    clips = [videos[r, s : s + FRAMES] for r, s in zip(rows, starts, strict=True)]
    return np.stack(clips).astype("float32")


def network(width, size, num_classes):
    """Backbone of the tiny preset with a classifier, and its features."""
    backbone = VideoResNetBackbone(
        blocks=[1, 1, 1, 1], width_multiplier=width, image_shape=(FRAMES, size, size, 3)
    )
    video = keras.Input((FRAMES, size, size, 3))
    x = keras.layers.Rescaling(1 / 58, offset=-2.1)(video)
    features = keras.layers.GlobalAveragePooling3D()(backbone(x))
    logits = keras.layers.Dense(num_classes)(features)
    return keras.Model(video, logits), keras.Model(video, features)


def supervised(train, test, label, args, seed, control=lambda clips: clips):
    """Accuracy of a network trained on labels, with the ladder's steps and batch."""
    keras.utils.set_random_seed(seed)
    model, _ = network(args.width, args.size, len(CLASSES[label]))
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, args.steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    rng = np.random.default_rng(seed)
    videos, numbers = train[0], train[1][label]
    for _ in range(args.steps):
        rows = rng.choice(len(videos), args.batch, replace=False)
        model.train_on_batch(control(random_clips(videos, rows, rng)), numbers[rows])
    clips = control(random_clips(test[0], np.arange(len(test[0])), rng))
    predicted = model.predict(clips, verbose=0).argmax(axis=1)
    hits = predicted == test[1][label]
    each = {
        name: round(float(hits[test[1][label] == number].mean()), 3)
        for number, name in enumerate(CLASSES[label])
    }
    return {"accuracy": float(hits.mean()), "by_class": each}


def middle_frame(clips):
    return np.repeat(clips[:, FRAMES // 2, None], FRAMES, axis=1)


def untrained_differences(train, test, args, seed):
    """Motion in the features of frame differences of a random network."""
    keras.utils.set_random_seed(seed)
    _, features = network(args.width, args.size, 8)
    rng = np.random.default_rng(seed)

    def embed(videos):
        clips = random_clips(videos, np.arange(len(videos)), rng)
        difference = np.diff(clips, axis=1, append=clips[:, :1])
        return features.predict(127 + difference, verbose=0)

    a, b = embed(train[0]), embed(test[0])
    labels = train[1]["motion"], test[1]["motion"]
    return {
        "linear": linear_probe_accuracy(a, b, *labels),
        "knn": knn_accuracy(b, a, labels[1], labels[0]),
    }


def measure(args, seed):
    world = ScenesWorld(seed=seed, scene_contrast=args.contrast)
    train = videos_of(world, "train", args.videos, args.size)
    test = videos_of(world, "test", 512, args.size)
    return {
        "seed": seed,
        "untrained_differences_motion": untrained_differences(train, test, args, seed),
        "motion": supervised(train, test, "motion", args, seed),
        "scene": supervised(train, test, "scene", args, seed),
        "single_frame_motion": supervised(
            train, test, "motion", args, seed, middle_frame
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out")
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--width", type=float, default=0.1875)
    parser.add_argument("--steps", type=int, default=600)
    # As many clips as a step of pretraining on 16 videos sees.
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--videos", type=int, default=1024)
    parser.add_argument("--contrast", type=float, default=0.35)
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    results = []
    for seed in range(args.seeds):
        began = time.time()
        results.append(measure(args, seed))
        results[-1]["seconds"] = round(time.time() - began)
        print(json.dumps(results[-1]), flush=True)
        if args.out:
            content = {
                "configuration": vars(args),
                "chance": {"motion": 1 / 8, "scene": 1 / 16},
                "versions": versions(),
                "commit": commit(),
                "results": results,
            }
            with open(args.out, "w") as file:
                json.dump(content, file, indent=1)


if __name__ == "__main__":
    main()
