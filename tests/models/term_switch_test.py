"""A term is switched off and on in a compiled step that is traced once."""

import keras
import numpy as np
import pytest
import tiny_teg
from keras import ops

from keras_avrep.models import TeG


class CountedTeG(TeG):
    """Counts how often its losses are written down, once a trace."""

    traces = 0

    def compute_losses(self, outputs, batch=None):
        self.traces += 1
        return super().compute_losses(outputs, batch)


@pytest.fixture
def model():
    plain = tiny_teg.build()
    model = CountedTeG.from_config(plain.get_config())
    model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
    return model


def learned(model):
    return [ops.convert_to_numpy(v) for v in model.trainable_variables]


def test_weights_change_between_batches_without_a_new_trace(model):
    batch = tiny_teg.draw_batch(np.random.default_rng(0))
    traces = []
    for fine, persistent in ((1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (0.5, 2)):
        model.set_loss_weight("fine", fine)
        model.set_loss_weight("persistent", persistent)
        before = learned(model)
        logs = model.train_on_batch(batch, return_dict=True)
        traces.append(model.traces)
        # Terms of weight 0 are still measured, and only left out of the sum.
        assert logs["loss_fine"] > 0
        assert logs["loss_persistent"] > 0
        total = fine * logs["loss_fine"] + persistent * logs["loss_persistent"]
        assert logs["loss"] == pytest.approx(total, rel=1e-4)
        still = all(
            np.array_equal(a, b) for a, b in zip(before, learned(model), strict=True)
        )
        assert still == (fine == persistent == 0)
    assert set(traces) == {1}, traces
