"""Who is learned from, and who is held out."""

import json
from dataclasses import replace

import pytest
from media_files import write_ramp

from keras_avrep.cli.pretrain import training_records
from keras_avrep.cli.videos import train_and_test
from keras_avrep.data import (
    Manifest,
    VideoRecord,
    is_held_out,
    scan_folder,
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


def test_one_video_more_moves_at_most_one_other():
    before = split_records(records(40), seed=3)[1]
    test = split_records(records(41), seed=3)[1]
    assert len(test) == 10
    assert len({r.video_id for r in before} - {r.video_id for r in test}) <= 1
    assert split_records(records(40), seed=4)[1] != before


def test_a_link_stays_with_its_video(tmp_path):
    for number in range(6):
        path = write_ramp(tmp_path / f"raw/{number}.mp4", count=4)
        (tmp_path / "named").mkdir(exist_ok=True)
        (tmp_path / f"named/{number}_too.mp4").symlink_to(path)
    found = scan_folder(tmp_path).records
    assert len(found) == 12
    found = [replace(record, labels={}) for record in found]
    train, test = split_records(found, test_fraction=0.5)
    names = [{r.video_id.split("/")[1][0] for r in part} for part in (train, test)]
    assert not names[0] & names[1] and len(names[0] | names[1]) == 6


def test_a_run_keeps_to_the_videos_it_is_tested_with(tmp_path):
    path = tmp_path / "tested.json"
    first = Manifest("/", records(12))
    _, before = train_and_test(first, 0, path)
    path.write_text(json.dumps([record.video_id for record in before]))
    # Neither another seed nor more videos put one that was learned from to the test.
    train, test = train_and_test(Manifest("/", records(16)), 1, path)
    assert {r.video_id for r in test} == {r.video_id for r in before}
    assert len(train) == 13
    splits = Manifest("/", records(3, split="train") + records(2, split="test"))
    assert train_and_test(splits, 1, path)[1] == splits.records[3:]
