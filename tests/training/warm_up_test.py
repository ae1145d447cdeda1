import keras
import numpy as np
from tiny_dclr import build, draw_batch


def test_many_batches_fill_the_queue_as_single_ones_do():
    """However they are run, traced where that pays or as they are."""
    batches = [draw_batch(np.random.default_rng(i)) for i in range(3)]
    filled = []
    for fast in (True, False):
        model = build(loss_weights={"vv": 1.0})
        model.compile(optimizer="sgd", jit_compile=False)
        weights = model.backbone.get_weights()
        warm_up = model.warm_up_function(100) if fast else model.warm_up
        for batch in batches:
            warm_up(batch)
        assert int(model.batches_seen) == 3 and int(model.queue.count) == 12
        for before, now in zip(weights, model.backbone.get_weights(), strict=True):
            np.testing.assert_array_equal(before, now)
        filled.append(keras.ops.convert_to_numpy(model.queue.keys("vv")))
    assert np.std(filled[0][:12]) > 0.01
    np.testing.assert_allclose(*filled, atol=1e-4)
