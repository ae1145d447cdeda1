"""Steps of all trainers of localisers on one backend. Arguments: FOLDER NAMES.

Writes `NAME.npz` for each. `tiny_NAME` in `tests/helpers` builds the model and its
trainers.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
from keras import ops
from system_program import noise


def write_steps(folder, name):
    tiny = importlib.import_module(f"tiny_{name}")
    arrays = {}
    for kind, trainer in tiny.build_trainers().items():
        rng = np.random.default_rng(0)
        variables = tiny.state(trainer)
        start = {k: draw(rng, k, ops.convert_to_numpy(v)) for k, v in variables.items()}
        batch = tiny.draw_views(rng)
        # Random draws differ by backend: the batch is its own views.
        trainer.make_views = lambda batch: batch
        found = {}
        assign(variables, start)
        total, losses, gradients = trainer.loss_gradients(as_tensors(batch))
        losses = {"total": total, **losses}
        found |= {f"loss_{k}": ops.convert_to_numpy(x) for k, x in losses.items()}
        names = {id(v): k for k, v in variables.items()}
        pairs = zip(trainer.trainable_variables, gradients, strict=True)
        found |= {f"gradient_{names[id(v)]}": ops.convert_to_numpy(g) for v, g in pairs}
        # Two of the backends have moved statistics by now.
        assign(variables, start)
        trainer.fit(((batch,) for _ in range(1)), steps_per_epoch=1, verbose=0)
        for path, variable in variables.items():
            found[f"trained_{path}"] = ops.convert_to_numpy(variable)
        arrays |= {f"{kind}_{key}": array for key, array in found.items()}
    np.savez(folder / f"{name}.npz", **arrays)


def draw(rng, path, like):
    if like.dtype.kind in "iu":
        return like
    return np.abs(like) + noise(rng, like) if "variance" in path else noise(rng, like)


def assign(variables, values):
    for name, variable in variables.items():
        variable.assign(values[name])


def as_tensors(batch):
    return {name: ops.convert_to_tensor(x) for name, x in batch.items()}


if __name__ == "__main__":
    for name in sys.argv[2:]:
        write_steps(Path(sys.argv[1]), name)
