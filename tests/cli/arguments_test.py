import argparse
import os

import pytest

from keras_avrep.cli.arguments import add_threads, not_negative, positive


def test_whole_numbers():
    assert positive("3") == 3
    assert not_negative(" 0 ") == 0
    assert not_negative("3") == 3


@pytest.mark.parametrize("text", ["0", "-1"])
def test_what_is_not_above_zero_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="not above 0"):
        positive(text)


def test_a_number_that_is_negative_is_refused():
    with pytest.raises(argparse.ArgumentTypeError, match="not above 0"):
        not_negative("-1")


@pytest.mark.parametrize(
    ("cores", "threads"), [(None, 2), (1, 2), (2, 2), (8, 8), (64, 16)]
)
def test_threads_are_as_many_as_cores_within_limits(monkeypatch, cores, threads):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    parser = argparse.ArgumentParser()
    add_threads(parser)
    assert parser.parse_args([]).threads == threads
    assert parser.parse_args(["--threads", "3"]).threads == 3
