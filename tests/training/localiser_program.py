"""Steps of all trainers of localisers on one backend. Arguments: FOLDER NAMES.

Writes `NAME.npz` for each. `tiny_NAME` in `tests/helpers` builds the model and its
trainers.
"""

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
from as_on_a_gpu import refuse_arrays_of_tensors
from drawn_weights import noise
from keras import ops
from system_program import fitted_gradients


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
        assign(variables, start)
        names = {id(v): k for k, v in variables.items()}
        learned = {
            names[id(v)]: start[names[id(v)]] for v in trainer.trainable_variables
        }
        backend = keras.backend.backend()
        trainer.compile(
            optimizer=trainer.optimizer,
            jit_compile=backend == "jax",
            # Tracing takes longer than a small step.
            run_eagerly=backend == "tensorflow",
        )
        # One step of SGD gives losses and gradients away.
        found = fitted_gradients(trainer, batch, learned)
        for path, variable in variables.items():
            found[f"trained_{path}"] = ops.convert_to_numpy(variable)
        arrays |= {f"{kind}_{key}": array for key, array in found.items()}
        trainer.restart_optimizer()
        state = [ops.convert_to_numpy(v) for v in trainer.optimizer.variables]
        # All but the rate.
        arrays[f"{kind}_forgotten"] = np.array([np.abs(x).max() for x in state])
    # Of the last trainer's model, with the weights that were drawn.
    assign(variables, start)
    localiser = trainer.task.inference_models()["localiser"]
    said = localiser.predict_on_batch(tiny.draw_inputs(np.random.default_rng(1)))
    arrays |= {f"said_{key}": np.asarray(array) for key, array in said.items()}
    np.savez(folder / f"{name}.npz", **arrays)


def draw(rng, path, like):
    if like.dtype.kind in "iu":
        return like
    return np.abs(like) + noise(rng, like) if "variance" in path else noise(rng, like)


def assign(variables, values):
    for name, variable in variables.items():
        variable.assign(values[name])


if __name__ == "__main__":
    refuse_arrays_of_tensors()
    for name in sys.argv[2:]:
        write_steps(Path(sys.argv[1]), name)
