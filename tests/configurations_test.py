"""Configurations say all: what is missing would come back as its default, unnoticed."""

import inspect
import re

import pytest

from keras_avrep import layers, views


def own_bases(symbol):
    return [c for c in symbol.__mro__ if c.__module__.startswith("keras_avrep")]


def configurable():
    """Public layers and views with a configuration of their own."""
    for room in (layers, views):
        for name in room.__all__:
            symbol = getattr(room, name)
            if inspect.isclass(symbol) and hasattr(symbol, "get_config"):
                yield pytest.param(symbol, id=name)


def told_by_one(symbol):
    """What the configuration of one says, where it can be made of defaults."""
    try:
        return symbol().get_config()
    except TypeError:
        return {}


@pytest.mark.parametrize("symbol", configurable())
def test_every_argument_is_in_the_configuration(symbol):
    told, asked = set(told_by_one(symbol)), set()
    for base in own_bases(symbol):
        if "get_config" in vars(base):
            told |= set(re.findall(r'"(\w+)":', inspect.getsource(base.get_config)))
        if "__init__" in vars(base):
            parameters = list(inspect.signature(base.__init__).parameters.values())
            asked |= {p.name for p in parameters[1:] if p.kind != p.VAR_KEYWORD}
    assert asked <= told
