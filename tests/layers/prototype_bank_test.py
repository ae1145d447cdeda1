import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import PrototypeBank


def to_numpy(x):
    return ops.convert_to_numpy(x)


def test_prototypes_are_means_and_an_empty_class_keeps_its_own():
    bank = PrototypeBank(3, 2)
    bank.update([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]], [0, 2, 2])
    np.testing.assert_allclose(to_numpy(bank.prototypes), [[1, 0], [0, 0], [0, 2]])
    np.testing.assert_array_equal(to_numpy(bank.counts), [1, 0, 2])
    bank.update([[4.0, 4.0], [9.0, 9.0]], [1, -1])
    np.testing.assert_allclose(to_numpy(bank.prototypes), [[1, 0], [4, 4], [0, 2]])
    np.testing.assert_array_equal(to_numpy(bank.counts), [0, 1, 0])


def test_cosines_do_not_depend_on_lengths():
    bank = PrototypeBank(2, 2)
    bank.update([[3.0, 4.0], [0.0, 0.1]], [0, 1])
    cosines = to_numpy(bank(ops.array([[[0.0, 7.0]], [[2.0, 0.0]]])))
    np.testing.assert_allclose(cosines, [[[0.8, 1.0]], [[0.6, 0.0]]], atol=1e-6)


def test_classes_keep_their_numbers_when_clusters_come_in_another_order():
    rng = np.random.default_rng(0)
    bank, centres = PrototypeBank(5, 8), rng.normal(size=(5, 8))
    np.testing.assert_array_equal(bank.keep_numbers(centres), np.arange(5))
    bank.update(centres, np.arange(5))
    order = rng.permutation(5)
    moved = 3.0 * centres[order] + 0.05 * rng.normal(size=(5, 8))
    np.testing.assert_array_equal(bank.keep_numbers(moved), order)


def test_no_number_is_given_twice_when_centres_crowd():
    bank = PrototypeBank(3, 2)
    bank.update([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [0, 1, 2])
    # Two centres are nearest to class 0. Cosines add up to 0.0995 + 1 + 0 with the
    # first of them on class 1, and to 0.995 - 1 + 1 with the second on class 2.
    numbers = bank.keep_numbers([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(numbers, [1, 0, 2])


def test_bank_is_saved_and_not_trained(tmp_path):
    inputs = keras.Input((2,))
    bank = PrototypeBank(2, 2)
    model = keras.Model(inputs, bank(inputs))
    bank.update([[3.0, 4.0]], [1])
    assert model.trainable_variables == []
    model.save(tmp_path / "bank.keras")
    again = keras.models.load_model(tmp_path / "bank.keras")
    np.testing.assert_array_equal(
        again.predict(np.ones((1, 2)), verbose=0),
        model.predict(np.ones((1, 2)), verbose=0),
    )


def test_what_does_not_fit_is_named():
    bank = PrototypeBank(2, 2)
    with pytest.raises(ValueError, match="`features`"):
        bank.update([[1.0]], [0])
    with pytest.raises(ValueError, match="`ids`"):
        bank.update([[1.0, 2.0]], [2])
    with pytest.raises(ValueError, match="`ids`"):
        bank.update([[1.0, 2.0]], [0, 1])
