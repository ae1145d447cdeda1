"""Losses of a step that XLA compiled are those of one that it did not."""

import importlib

import numpy as np
import pytest
import tensorflow as tf


# Their networks too would take minutes to compile: just what is behind them.
@pytest.mark.parametrize(
    "name", ["static_dynamic_concepts", "controllable_augmentations", "const_cl", "teg"]
)
def test_losses_and_gradients_are_the_same_with_xla(name):
    tiny = importlib.import_module(f"tiny_{name}")
    model = tiny.build_for_steps()
    tiny.prepare(model)
    views = tiny.draw_views(np.random.default_rng(0))
    views = {key: tf.convert_to_tensor(x) for key, x in views.items()}
    outputs = model.query_forward(views, model.key_forward(views))

    def losses_and_gradients(outputs):
        floats = [x for x in tf.nest.flatten(outputs) if x.dtype == tf.float32]
        with tf.GradientTape() as tape:
            tape.watch(floats)
            losses = model.compute_losses(outputs)
            total = model.total_loss(losses)
        gradients = tape.gradient(total, floats)
        return losses, [g for g in gradients if g is not None]

    before = [np.array(v) for v in model.non_trainable_variables]
    plain, slopes = losses_and_gradients(outputs)
    # A queue of concepts has taken their logits.
    for variable, array in zip(model.non_trainable_variables, before, strict=True):
        variable.assign(array)
    compiled = tf.function(losses_and_gradients, jit_compile=True, autograph=False)
    found, found_slopes = compiled(outputs)
    assert found.keys() == plain.keys() == model.loss_weights.keys()
    for term, loss in plain.items():
        assert float(found[term]) == pytest.approx(float(loss), rel=1e-3), term
    assert any(np.abs(slope).max() > 0 for slope in slopes)
    for slope, found_slope in zip(slopes, found_slopes, strict=True):
        largest = np.abs(slope).max()
        np.testing.assert_allclose(found_slope, slope, atol=1e-3 * largest + 1e-9)
