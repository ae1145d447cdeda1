"""Systems on one backend: a fixed step, and fit, predict, save and load.

Arguments: FOLDER NAME... Writes `step.npz` and `report.json` into FOLDER/NAME.
`tiny_NAME` in `tests/helpers` builds the model and draws what it takes.
"""

import importlib
import json
import sys
from pathlib import Path

import keras
import numpy as np
from as_on_a_gpu import refuse_arrays_of_tensors
from drawn_weights import differing, draw_weights, numbered
from keras import ops

from keras_avrep.training import load_checkpoint, save_checkpoint

# Its losses push a queue, which only a scope keeps from lasting.
EVALUATED = "static_dynamic_concepts"
# It fills its queues before the first step.
WARMED = "dclr"
STEPS = 2
RATE = 0.01


def main(name, folder):
    tiny = importlib.import_module(f"tiny_{name}")
    folder.mkdir(parents=True)
    model, arrays = step_arrays(tiny)
    np.savez(folder / "step.npz", **arrays)
    report = fit_report(tiny, folder, model)
    if name == EVALUATED:
        report["evaluated"] = evaluated(tiny)
    if name == WARMED:
        report["warmed"] = warmed(tiny)
    (folder / "report.json").write_text(json.dumps(report))


# --- a step from drawn weights and views, to be compared between backends ------


def step_arrays(tiny):
    """A model, on JAX with its compiled step, and what a step gives."""
    rng = np.random.default_rng(0)
    model = tiny.build_for_steps()
    # Random draws differ by backend: the batch is its own views.
    model.make_views = lambda batch: batch
    model.set_weights(draw_weights(rng, model))
    tiny.prepare(model)
    model.loss_scale.assign([1.0] * len(model.loss_weights))
    start = model.get_weights()
    batch = tiny.draw_views(rng)
    if keras.backend.backend() == "jax":
        return model, compiled_arrays(model, batch)
    arrays = gradient_arrays(model, batch)
    # Torch has moved twins and statistics by now.
    model.set_weights(start)
    return model, {**arrays, **trained_arrays(model, batch)}


def gradient_arrays(model, batch):
    batch = {name: ops.convert_to_tensor(x) for name, x in batch.items()}
    total, losses, gradients = model.loss_gradients(batch)
    losses = {"total": total, **losses}
    arrays = {f"loss_{name}": ops.convert_to_numpy(x) for name, x in losses.items()}
    variables = zip(model.trainable_variables, gradients, strict=True)
    for position, (variable, gradient) in enumerate(variables):
        name = f"gradient_{position:03d}_{variable.path}"
        arrays[name] = ops.convert_to_numpy(gradient)
    return arrays


def compiled_arrays(model, batch):
    """The same arrays from one compiled step, as XLA takes long to compile another."""
    compile_model(model)
    arrays = fitted_gradients(model, batch, numbered(model.trainable_variables))
    model.fit(((batch,) for _ in range(STEPS - 1)), steps_per_epoch=1, verbose=0)
    trained = numbered(model.weights)
    return {**arrays, **{f"trained_{name}": x for name, x in trained.items()}}


def fitted_gradients(model, batch, names):
    """Losses and gradients that the first step of SGD gives away.

    Args:
        model: compiled, whose trainable variables are in the order of `names`.
        batch: what a step takes.
        names: dict from a name to a trainable variable's value before.
    """
    batches = ((batch,) for _ in range(1))
    logs = model.fit(batches, steps_per_epoch=1, verbose=0).history
    losses = {
        "total": logs["loss"],
        **{n: logs[f"loss_{n}"] for n in model.loss_weights},
    }
    arrays = {f"loss_{name}": np.float32(x[0]) for name, x in losses.items()}
    arrays |= first_statistics(model, logs)
    for (name, before), variable in zip(
        names.items(), model.trainable_variables, strict=True
    ):
        after = ops.convert_to_numpy(variable.value)
        arrays[f"gradient_{name}"] = (before - after) / RATE
    return arrays


def trained_arrays(model, batch):
    compile_model(model)
    # The other fit traces its step; here two steps are faster without.
    model.run_eagerly = keras.backend.backend() == "tensorflow"
    batches = ((batch,) for _ in range(STEPS))
    fit = model.fit(batches, steps_per_epoch=1, epochs=STEPS, verbose=0)
    # Numbered, as a twin's weights have the paths of its source's.
    trained = numbered(model.weights)
    return {
        **first_statistics(model, fit.history),
        **{f"trained_{name}": array for name, array in trained.items()},
    }


def first_statistics(model, logs):
    """Statistics of the first step of a fit, from its history."""
    return {f"statistic_{n}": np.float32(logs[n][0]) for n in model.statistic_names}


# --- what a user does ---------------------------------------------------------


def fit_report(tiny, folder, model):
    """What comes of a fit; on JAX of the model whose step is compiled already."""
    rng = np.random.default_rng(1)
    draw = tiny.draw_views
    if keras.backend.backend() != "jax":
        model, draw = tiny.build_for_steps(seed=0), tiny.draw_batch
        compile_model(model)
        # `tests/models` fits every system with a traced step.
        model.run_eagerly = keras.backend.backend() == "tensorflow"
    else:
        model.set_weights(tiny.build_for_steps(seed=0).get_weights())
    views = described(compiled_views(model, tiny.draw_batch(rng)))
    seen = int(ops.convert_to_numpy(model.batches_seen))
    start = numbered(model.trainable_variables)
    batches = ((draw(rng),) for _ in range(STEPS))
    history = model.fit(batches, steps_per_epoch=STEPS, verbose=0)
    model.run_eagerly = False
    clips = tiny.draw_clips(rng)
    features = model.predict(clips, verbose=0)
    model.save_to_preset(str(folder / "preset"))
    loaded = type(model).from_preset(str(folder / "preset"))
    save_checkpoint(folder / "last.npz", model, STEPS, {"note": "x"})
    other = tiny.build_for_steps(seed=1)
    compile_model(other)
    was_different = differing(numbered(model.variables), numbered(other.variables))
    head = load_checkpoint(folder / "last.npz", other)
    return {
        "losses": {name: values[0] for name, values in history.history.items()},
        "system": type(model).__name__,
        "terms": list(model.loss_weights),
        "statistics": list(model.statistic_names),
        "unmoved": unmoved(start, numbered(model.trainable_variables)),
        "batches_seen": int(ops.convert_to_numpy(model.batches_seen)) - seen,
        "views": views,
        "expected_views": described(tiny.draw_views(rng)),
        "features": {
            "shape": features.shape,
            "expected": [len(clips), model.representation.output_shape[-1]],
            "finite": bool(np.isfinite(features).all()),
            "spread": float(features.std(axis=0).max()),
        },
        "preset_differs": differing(numbered(model.weights), numbered(loaded.weights)),
        "predict_differs": int(np.sum(loaded.predict(clips, verbose=0) != features)),
        "checkpoint_head": head,
        "differed_before_load": len(was_different),
        "checkpoint_differs": differing(
            numbered(model.variables), numbered(other.variables)
        ),
    }


def compiled_views(model, batch):
    """What the model's own views make of a batch, as a compiled step has them."""
    batch = {name: ops.convert_to_tensor(x) for name, x in batch.items()}

    def views(batch):
        return type(model).make_views(model, batch)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(views)(batch)
    if keras.backend.backend() == "torch":
        return views(batch)
    import jax

    def stateless(values, batch):
        pairs = list(zip(model.non_trainable_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return views(batch)

    return jax.jit(stateless)([v.value for v in model.non_trainable_variables], batch)


def described(arrays):
    """Rank of each array, and whether all of its numbers are finite."""
    arrays = {name: ops.convert_to_numpy(x) for name, x in arrays.items()}
    return {name: [x.ndim, bool(np.isfinite(x).all())] for name, x in arrays.items()}


def evaluated(tiny):
    """Losses of a batch twice, and the variables that telling them has changed."""
    model = tiny.build_for_steps(seed=0)
    tiny.prepare(model)
    compile_model(model)
    model.run_eagerly = keras.backend.backend() == "tensorflow"
    model.optimizer.build(model.trainable_variables)
    batch = tiny.draw_batch(np.random.default_rng(2))
    metrics = {id(v) for v in model.metrics_variables}
    kept = [v for v in model.variables if id(v) not in metrics]
    before = numbered(kept)
    losses = [
        model.evaluate(((batch,) for _ in range(1)), verbose=0, return_dict=True)
        for _ in range(2)
    ]
    return {"losses": losses, "changed": differing(before, numbered(kept))}


def warmed(tiny):
    """Keys in the queue and batches seen after one batch of filling; what moved."""
    model = tiny.build_for_steps(seed=0)
    before = numbered(model.trainable_variables)
    batch = tiny.draw_batch(np.random.default_rng(3))
    model.warm_up(batch)
    counts = [model.queue.count, model.batches_seen]
    return {
        "counts": [int(ops.convert_to_numpy(x)) for x in counts],
        "moved": differing(before, numbered(model.trainable_variables)),
    }


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(RATE, momentum=0.9),
        # The other backends are fast enough without, and compile slowly.
        jit_compile=keras.backend.backend() == "jax",
    )


def unmoved(first, second):
    return sorted({*first} - {*differing(first, second)})


if __name__ == "__main__":
    refuse_arrays_of_tensors()
    for name in sys.argv[2:]:
        main(name, Path(sys.argv[1]) / name)
