import math

import pytest

from keras_avrep.models.check_arguments import check_above_zero, check_choice
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


def test_what_is_divided_by_is_above_zero():
    check_above_zero(one=1e-9, two=3)
    for number in (0, -1.0, math.nan):
        with pytest.raises(ValueError, match="`two` must be above 0"):
            check_above_zero(one=1, two=number)


def test_a_choice_is_one_of_those_there_are():
    check_choice("kind", "b", KNOWN)
    with pytest.raises(ValueError, match=r"`kind` must be one of \('a', 'b', 'c'\)"):
        check_choice("kind", "z", KNOWN)
