import argparse
import os

import pytest

from keras_avrep.cli.arguments import (
    above_zero,
    add_threads,
    not_negative,
    positive,
)
from keras_avrep.cli.main import main


def test_whole_numbers():
    assert positive("3") == 3
    assert not_negative(" 0 ") == 0
    assert not_negative("3") == 3


@pytest.mark.parametrize("text", ["0", "-1"])
def test_what_is_not_above_zero_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="not above 0"):
        positive(text)


@pytest.mark.parametrize("text", ["0", "-0.5", "nan"])
def test_numbers_have_to_be_above_zero(text):
    assert above_zero("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="not above 0"):
        above_zero(text)


@pytest.mark.parametrize(
    "words",
    [
        ["render", "out", "--sprites", "0"],
        ["render", "out", "--pretrain", "-3"],
        ["render", "out", "--seconds", "0"],
        ["prepare", "videos", "--out", "out", "--size", "0"],
        ["prepare", "videos", "--out", "out", "--segment-seconds", "-1"],
        ["demo", "--steps", "0"],
        ["finetune", "run", "videos", "--out", "out", "--epochs", "0"],
        ["embed", "run", "videos", "--out", "out.npz", "--num-clips", "0"],
        ["evaluate", "run", "videos", "--crops", "2"],
        [
            "localize",
            "--preset",
            "p",
            "--video",
            "v",
            "--out",
            "o",
            "--batch-size",
            "0",
        ],
    ],
)
def test_commands_refuse_numbers_that_make_nothing(
    words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert words[-2] in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


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
