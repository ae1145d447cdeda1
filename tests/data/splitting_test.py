"""Who is learned from, and who is held out."""

from dataclasses import replace

import pytest

from keras_avrep.cli.pretrain import training_records
from keras_avrep.data import (
    Manifest,
    VideoRecord,
    is_held_out,
    spaced_records,
    split_records,
)


def records(count, **about):
    return [VideoRecord(f"/{i}.mp4", f"{i}.mp4", **about) for i in range(count)]


@pytest.mark.parametrize("name", ["test", "val", "validation", "valid", "dev", "Test"])
def test_whatever_is_not_to_learn_from_is_held_out(name):
    known, held = records(3, split="train"), records(2, split=name)
    assert split_records(known + held) == (known, held)
    assert all(is_held_out(record) for record in held)


@pytest.mark.parametrize("name", [None, "train", "Train", "training"])
def test_what_is_to_learn_from_is_not(name):
    known, held = records(3, split=name), records(2, split="test")
    assert split_records(known + held) == (known, held)


def test_held_out_videos_are_not_pretrained_on_where_only_they_are_marked():
    rest, held = records(3), records(2, split="test")
    assert training_records(Manifest("/", rest + held)) == rest
    # Of nothing else there is nothing else to take.
    assert training_records(Manifest("/", held)) == held


def test_pieces_of_one_video_stay_together():
    pieces = [
        replace(record, video_id=f"{name}_{i}.mp4", source=f"{name}.mp4")
        for name in "abcdefgh"
        for i, record in enumerate(records(5))
    ]
    train, test = split_records(pieces)
    assert (len(train), len(test)) == (30, 10)
    assert not {r.source for r in train} & {r.source for r in test}


def test_classes_need_not_have_names_in_utf8():
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    train, test = split_records(records(4, labels={"class": name}))
    assert (len(train), len(test)) == (3, 1)


@pytest.mark.parametrize("count", [1, 2, 5, 100])
@pytest.mark.parametrize("most", [1, 3, 7])
def test_some_are_spread_over_all(count, most):
    every = list(range(count))
    chosen = spaced_records(every, most)
    assert chosen == sorted(set(chosen)) and set(chosen) <= set(every)
    assert len(chosen) == min(count, most)
    if most > 1:
        assert (chosen[0], chosen[-1]) == (0, count - 1)


def test_of_none_there_are_none():
    assert spaced_records([], 3) == spaced_records([1, 2], 0) == []
