"""Losses of videos that are not learned from, with nothing changed."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops
from tiny_systems import NAMES


def state(model):
    metrics = {id(v) for v in model.metrics_variables}
    variables = [v for v in model.variables if id(v) not in metrics]
    variables += model.optimizer.variables
    return [ops.convert_to_numpy(v.value) for v in variables]


class Batches(keras.utils.PyDataset):
    """One batch, as often as asked for."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return (self.batch,)


def compiled(name):
    tiny = importlib.import_module(f"tiny_{name}")
    model = tiny.build_for_steps()
    tiny.prepare(model)
    # Tracing takes longer than a step.
    eager = keras.backend.backend() != "jax"
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=eager, jit_compile=not eager)
    return model, tiny.draw_batch(np.random.default_rng(0))


@pytest.mark.parametrize("name", NAMES)
def test_evaluate_tells_the_losses_and_changes_nothing(name):
    model, batch = compiled(name)
    model.optimizer.build(model.trainable_variables)
    before = state(model)
    found = [
        model.evaluate(((batch,) for _ in range(2)), verbose=0, return_dict=True)
        for _ in range(2)
    ]
    terms = {"loss", *(f"loss_{term}" for term in model.loss_weights)}
    assert found[0].keys() == terms | {*model.statistic_names}
    assert np.isfinite(list(found[0].values())).all()
    assert found[0]["loss"] != 0
    # The views of a batch are always the same.
    assert found[0] == found[1]
    for old, new in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_losses_of_other_videos_are_told_while_training():
    model, batch = compiled("dclr")
    logs = model.fit(
        ((batch,) for _ in range(2)),
        steps_per_epoch=1,
        epochs=2,
        validation_data=Batches(batch),
        verbose=0,
    ).history
    assert np.isfinite([logs["loss"], logs["val_loss"]]).all()
    # What was learned changes them; how the views were drawn does not.
    assert logs["val_loss"][0] != logs["val_loss"][1]
    assert int(ops.convert_to_numpy(model.batches_seen)) == 2
