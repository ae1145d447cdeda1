"""Writes losses and gradients of fixed views and weights, for one backend."""

import sys

import numpy as np
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews


def main(out):
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    views = DCLRViews(size=16, align_static=True)
    model = DCLR(backbone, views, hidden_dim=32, projection_dim=8, queue_size=16)
    rng = np.random.default_rng(0)
    model.set_weights(
        [
            w
            if w.dtype.kind == "i"
            else np.abs(w) + noise(rng, w)
            if "variance" in v.path
            else noise(rng, w)
            for v, w in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
    model.loss_scale.assign([1.0] * len(model.loss_weights))
    fixed = rng.normal(size=(4, 2, 2, 16, 16, 3)).astype("float32")
    static = np.repeat(fixed[:, :, :1], 2, axis=2)
    fixed = {"rgb": fixed, "static": static, "dynamic": fixed - fixed[:, :, ::-1]}
    fixed = {name: ops.convert_to_tensor(x) for name, x in fixed.items()}
    model.make_views = lambda batch: fixed
    model.queue.count.assign(16)
    _, losses, gradients = model.loss_gradients({})
    arrays = {f"loss_{name}": ops.convert_to_numpy(x) for name, x in losses.items()}
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        arrays[f"gradient_{variable.path}"] = ops.convert_to_numpy(gradient)
    np.savez(out, **arrays)


def noise(rng, like):
    return (0.1 * np.abs(rng.normal(size=like.shape)) + 0.01).astype("float32") * (
        rng.choice([-1, 1], like.shape) if like.ndim > 1 else 1
    )


if __name__ == "__main__":
    main(sys.argv[1])
