"""The momentum twins: what an update blends, and what it leaves alone."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.training import MomentumEncoder


def network():
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()]
    )


def shift(layer, distance):
    """Move every weight, batch-norm statistics included."""
    layer.set_weights([w + distance for w in layer.get_weights()])


def values(variables):
    return [ops.convert_to_numpy(v).copy() for v in variables]


def learned(twin):
    """Values of what a gradient would train in the twin's source."""
    dense, norm = twin.layers
    return values([dense.kernel, dense.bias, norm.gamma, norm.beta])


def statistics(twin):
    norm = twin.layers[1]
    return values([norm.moving_mean, norm.moving_variance])


def test_twins_start_as_copies_of_all_weights():
    sources = [network(), network()]
    for number, source in enumerate(sources):
        shift(source, number + 1)
    twins = MomentumEncoder(sources).twins
    for source, twin in zip(sources, twins, strict=True):
        for a, b in zip(source.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert not {id(v) for v in source.weights} & {id(v) for v in twin.weights}


@pytest.mark.parametrize(("options", "kept"), [({}, 0.999), ({"momentum": 0.9}, 0.9)])
def test_an_update_blends_learned_weights_and_no_statistics(options, kept):
    source = network()
    encoder = MomentumEncoder([source], **options)
    (twin,) = encoder.twins
    old, before = learned(twin), statistics(twin)
    shift(source, 10.0)
    online = learned(source)
    for steps in (1, 2):
        encoder.update([source])
        share = kept**steps
        for average, first, new in zip(learned(twin), old, online, strict=True):
            expected = share * first + (1 - share) * new
            np.testing.assert_allclose(average, expected, rtol=0, atol=1e-5)
    for now, then in zip(statistics(twin), before, strict=True):
        np.testing.assert_array_equal(now, then)
    # The source is read, never written.
    for now, then in zip(learned(source), online, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_second_sync_makes_the_twin_equal_again():
    source = network()
    encoder = MomentumEncoder([source])
    shift(source, 10.0)
    encoder.copy_from([source])
    for a, b in zip(source.get_weights(), encoder.twins[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_statistics_of_a_twin_follow_its_own_batches_alone():
    source = network()
    encoder = MomentumEncoder([source])
    (twin,) = encoder.twins
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    before = statistics(twin)
    source(x, training=True)
    for now, then in zip(statistics(twin), before, strict=True):
        np.testing.assert_array_equal(now, then)
    found = ops.convert_to_numpy(twin(x, training=True))
    # Statistics of the batch, not those kept, though nothing in it is trainable.
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    hidden = ops.convert_to_numpy(twin.layers[0](x))
    momentum = twin.layers[1].momentum
    np.testing.assert_allclose(
        statistics(twin)[0], (1 - momentum) * hidden.mean(axis=0), atol=1e-5
    )
    assert not twin.trainable_variables


def test_freezing_and_setting_free_what_holds_it_trains_no_twin():
    source = network()
    model = keras.Sequential([source])
    model.twins = MomentumEncoder([source])
    before = [v.path for v in model.trainable_variables]
    (norm,) = model.twins.twins[0].layers[1:]
    for trainable in (False, True):
        model.trainable = trainable
        assert not model.twins.twins[0].trainable_variables
        # Switched off, it would normalise by what it has seen.
        assert norm.trainable
    assert [v.path for v in model.trainable_variables] == before
