import math

import pytest

from keras_avrep.models.loss_weights import check_loss_weights

KNOWN = ("a", "b", "c")
DEFAULTS = {"a": 1.0, "b": 0.5}


def test_weights_come_in_the_order_of_the_terms():
    found = check_loss_weights({"c": 2, "a": 1}, KNOWN, DEFAULTS)
    assert list(found.items()) == [("a", 1.0), ("c", 2.0)]
    assert all(isinstance(weight, float) for weight in found.values())


def test_defaults_are_a_copy():
    check_loss_weights(None, KNOWN, DEFAULTS).clear()
    assert check_loss_weights(None, KNOWN, DEFAULTS) == {"a": 1.0, "b": 0.5}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": 1, "z": 1}, r"unknown terms \['z'\]; known are \['a', 'b', 'c'\]"),
        ({}, "is empty"),
        ({"a": math.nan}, "finite"),
        ({"a": 1, "b": math.inf}, "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_loss_weights(weights, KNOWN, DEFAULTS)
