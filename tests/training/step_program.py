"""Writes losses, gradients and trained weights of fixed views, for one backend."""

import sys

import keras
import numpy as np
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews

STEPS = 2


def main(out):
    rng = np.random.default_rng(0)
    model = build()
    start = draw_weights(rng, model)
    model.set_weights(start)
    model.queue.count.assign(16)
    model.loss_scale.assign([1.0] * len(model.loss_weights))
    start = model.get_weights()
    batch = draw_views(rng)
    arrays = gradient_arrays(model, batch)
    # Two of the backends have moved twins and statistics by now.
    model.set_weights(start)
    np.savez(out, **arrays, **trained_arrays(model, batch))


def build():
    """A model that takes the batch as its views: random draws differ by backend."""
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    model = DCLR(
        backbone,
        DCLRViews(size=32, align_static=True),
        hidden_dim=32,
        projection_dim=8,
        queue_size=16,
        momentum=0.9,
        temperature=0.5,
    )
    model.make_views = lambda batch: batch
    return model


def draw_weights(rng, model):
    return [
        w
        if w.dtype.kind == "i"
        else np.abs(w) + noise(rng, w)
        if "variance" in v.path
        else noise(rng, w)
        for v, w in zip(model.weights, model.get_weights(), strict=True)
    ]


def noise(rng, like):
    return (0.1 * np.abs(rng.normal(size=like.shape)) + 0.01).astype("float32") * (
        rng.choice([-1, 1], like.shape) if like.ndim > 1 else 1
    )


def draw_views(rng):
    rgb = rng.normal(size=(4, 2, 2, 32, 32, 3)).astype("float32")
    static = np.repeat(rgb[:, :, :1], 2, axis=2)
    return {"rgb": rgb, "static": static, "dynamic": rgb - rgb[:, :, ::-1]}


def gradient_arrays(model, batch):
    batch = {name: ops.convert_to_tensor(x) for name, x in batch.items()}
    total, losses, gradients = model.loss_gradients(batch)
    losses = {"total": total, **losses}
    arrays = {f"loss_{name}": ops.convert_to_numpy(x) for name, x in losses.items()}
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        arrays[f"gradient_{variable.path}"] = ops.convert_to_numpy(gradient)
    return arrays


def trained_arrays(model, batch):
    model.compile(
        optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
        # The other backends are fast enough without, and compile slowly.
        jit_compile=keras.backend.backend() == "jax",
    )
    batches = ((batch,) for _ in range(STEPS))
    model.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0)
    # Numbered, as a twin's weights have the paths of its source's.
    return {
        f"trained_{position:03d}_{v.path}": w
        for position, (v, w) in enumerate(
            zip(model.weights, model.get_weights(), strict=True)
        )
    }


if __name__ == "__main__":
    main(sys.argv[1])
