"""When a prepared copy is kept, made again or removed, and what is said of it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.cli.main import main
from keras_avrep.data import (
    prepare,
    prepare_videos,
    read_box_tracks,
    read_frames,
    read_waveform,
    scan_folder,
    write_video,
)


@pytest.fixture
def folders(tmp_path):
    write_ramp(tmp_path / "videos/a.mp4", count=24, height=96, width=128)
    write_ramp(tmp_path / "videos/b.mp4", count=12, height=96, width=128)
    return tmp_path / "videos", tmp_path / "small"


def prepared(source, target, **options):
    """Copies by name, with the time at which each was written."""
    assert prepare_videos(scan_folder(source), target, **options) == []
    copies = {r.video_id: r for r in scan_folder(target).records}
    return copies, {n: Path(r.path).stat().st_mtime_ns for n, r in copies.items()}


def test_the_same_again_keeps_all(folders):
    _, before = prepared(*folders, size=32)
    _, after = prepared(*folders, size=32)
    assert before == after


def test_another_size_is_another_copy(folders):
    prepared(*folders, size=32)
    copies, _ = prepared(*folders, size=48)
    assert {r.height for r in copies.values()} == {48}


def test_other_key_frames_are_another_copy(folders):
    _, before = prepared(*folders, size=32)
    _, after = prepared(*folders, size=32, keyframe_interval=2)
    assert all(after[name] > before[name] for name in before)


def test_only_a_changed_source_is_copied_again(folders):
    source, target = folders
    _, before = prepared(source, target, size=32)
    write_ramp(source / "a.mp4", count=18, height=96, width=128)
    copies, after = prepared(source, target, size=32)
    assert copies["a.mp4"].num_frames == 18
    assert after["b.mp4"] == before["b.mp4"]
    # The same bytes at another time may be other frames.
    os.utime(source / "b.mp4", ns=(0, 10**18))
    assert prepared(source, target, size=32)[1]["b.mp4"] > before["b.mp4"]


def test_other_segments_leave_no_old_ones(folders):
    source, target = folders
    copies, _ = prepared(source, target, size=32, segment_seconds=0.5)
    assert len(copies) == 6
    copies, _ = prepared(source, target, size=32)
    assert sorted(copies) == ["a.mp4", "b.mp4"]


def test_videos_that_differ_in_suffix_only_keep_their_copies(folders):
    source, target = folders
    write_ramp(source / "a.avi", count=6, codec="mpeg4")
    copies, before = prepared(source, target, size=32)
    frames = {name: r.num_frames for name, r in copies.items()}
    assert frames == {"a.mp4": 6, "a.mp4.mp4": 24, "b.mp4": 12}
    assert prepared(source, target, size=32)[1] == before


def test_boxes_go_with_the_frames_of_their_copies(folders):
    source, target = folders
    # One thing that moves, and one that is not seen in the beginning.
    moving = [[k / 100, 0.1, 0.5, 0.6] for k in range(24)]
    late = [None] * 10 + [[0.2, 0.2, 0.4, 0.4]] * 14
    lines = [{"video": "a.mp4", "boxes": [moving, late]}, {"video": "b.mp4"}]
    lines += [{"video": "b.mp4", "boxes": [[[0, 0, 1, 7]]]}]
    annotations = source / "annotations.jsonl"
    annotations.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rejects = prepare_videos(scan_folder(source), target, size=32)
    assert [r["path"] for r in rejects] == ["annotations.jsonl:3"]
    whole = read_box_tracks(scan_folder(source)).tracks
    copied = read_box_tracks(scan_folder(target))
    assert copied.rejects == [] and [*copied.tracks] == ["a.mp4"]
    assert_same_track(copied.tracks["a.mp4"], whole["a.mp4"])
    prepare_videos(scan_folder(source), target, size=32, segment_seconds=0.75)
    parts = read_box_tracks(scan_folder(target)).tracks
    counts = [r.num_frames for r in scan_folder(target).records if r.video_id in parts]
    assert [len(track["boxes"]) for track in parts.values()] == counts
    joined = np.concatenate([track["boxes"] for track in parts.values()])
    np.testing.assert_array_equal(joined, whole["a.mp4"]["boxes"])


def assert_same_track(one, other):
    for name in ("seconds", "boxes"):
        np.testing.assert_array_equal(one[name], other[name])


def known(source, **boxes):
    """Labels of all videos below a folder, and boxes of some by their stem."""
    lines = [
        {"video": p.name, "labels": {"class": "x"}, "boxes": boxes.get(p.stem)}
        for p in sorted(source.glob("*.mp4"))
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (source / "annotations.jsonl").write_text(text)


def files_of(folder):
    return sorted(p.name for p in folder.iterdir() if p.suffix in (".mp4", ".source"))


def test_parts_share_the_frames_and_none_is_empty(tmp_path):
    source, target = tmp_path / "videos", tmp_path / "small"
    write_ramp(source / "a.mp4", count=5, fps=10)
    known(source, a=[[[k / 100, 0.1, 0.5, 0.6] for k in range(5)]])
    copies, before = prepared(source, target, segment_seconds=0.125)
    assert [r.num_frames for r in copies.values()] == [1, 1, 2, 1]
    tracks = read_box_tracks(scan_folder(target)).tracks.values()
    assert [[round(100 * b[0, 0]) for b in t["boxes"]] for t in tracks] == [
        *([0], [1], [2, 3], [4])
    ]
    # Not more parts than frames.
    copies, _ = prepared(source, tmp_path / "each", segment_seconds=0.01)
    assert [r.num_frames for r in copies.values()] == [1] * 5
    assert prepared(source, target, segment_seconds=0.125)[1] == before


def test_boxes_are_those_of_the_copies_that_an_earlier_version_cut(tmp_path):
    source, target = tmp_path / "videos", tmp_path / "small"
    write_ramp(source / "a.mp4", count=24)
    known(source, a=[[[k / 100, 0.1, 0.5, 0.6] for k in range(24)]])
    _, before = prepared(source, target, segment_seconds=0.4)
    # It wrote no bounds and cut 24 frames into 5, 5, 5, 5 and 4.
    content = json.loads((target / "a.source").read_text())
    assert content.pop("bounds") == [0, 5, 10, 14, 19, None]
    (target / "a.source").write_text(json.dumps(content))
    assert prepared(source, target, segment_seconds=0.4)[1] == before
    tracks = read_box_tracks(scan_folder(target)).tracks.values()
    assert [len(t["boxes"]) for t in tracks] == [5, 5, 5, 5, 4]


def test_fewer_frames_than_estimated_are_fewer_parts(tmp_path):
    source, target = tmp_path / "videos", tmp_path / "small"
    write_ramp(source / "a.mp4", count=5, fps=10)
    known(source, a=[[[0, 0.1, 0.5, 0.6]] * 2])
    manifest = scan_folder(source)
    manifest.records = [replace(manifest.records[0], num_frames=12, duration=1.2)]
    for _ in range(2):  # written, then kept
        assert prepare_videos(manifest, target, segment_seconds=0.3) == []
        copies = scan_folder(target)
        assert [r.num_frames for r in copies.records] == [3, 2]
        assert copies.label_names == ["class"] and copies.rejects == []
    # Boxes of the first two frames: the second part has none.
    read = read_box_tracks(copies)
    assert [*read.tracks] == ["a_0000.mp4"] and read.rejects == []


def test_a_video_that_fails_leaves_nothing_behind(folders, monkeypatch):
    source, target = folders
    known(source)
    prepared(source, target, size=32, segment_seconds=0.5)
    (target / "a.txt").write_text("mine")
    write_ramp(target / "a_0007.mp4", count=2)

    def full(path, *args, **kwargs):
        if path.name == "a_0001.mp4":
            raise OSError("no space left")
        write_video(path, *args, **kwargs)

    monkeypatch.setattr("keras_avrep.data.prepare.write_video", full)
    (reject,) = prepare_videos(scan_folder(source), target, segment_seconds=0.25)
    assert reject == {"path": "a.mp4", "reason": "no space left"}
    left = [f"b_000{p}.mp4" for p in range(4)]
    # What no note lists stays.
    assert files_of(target) == ["a_0007.mp4", "b.source", *left]
    assert (target / "a.txt").exists()
    (target / "a_0007.mp4").unlink()
    assert scan_folder(target).label_names == ["class"]


def test_an_interrupted_video_is_made_anew_and_its_old_parts_go(folders, monkeypatch):
    source, target = folders
    known(source)

    def stop(path, *args, **kwargs):
        if path.name == "a_0002.mp4":
            raise KeyboardInterrupt
        write_video(path, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("keras_avrep.data.prepare.write_video", stop)
        prepare_videos(scan_folder(source), target, segment_seconds=0.5)
    assert (target / "a_0001.mp4").exists()
    copies, _ = prepared(source, target)
    assert [*copies] == ["a.mp4", "b.mp4"]
    assert scan_folder(target).label_names == ["class"]


@pytest.mark.parametrize("place", ["small", "train/small", ""])
def test_copies_cannot_lie_among_the_videos(folders, place, capsys):
    source, _ = folders
    with pytest.raises(ValueError, match="the videos are"):
        prepare_videos(scan_folder(source), source / place)
    assert main(["prepare", str(source), "--out", str(source / place)]) != 0
    assert "`folder`" in capsys.readouterr().err
    assert sorted(p.name for p in source.rglob("*")) == ["a.mp4", "b.mp4"]


def test_copies_of_videos_that_are_gone_go(folders):
    source, target = folders
    known(source)
    prepared(source, target, segment_seconds=0.5)
    for name in ("notes.source", "list.source"):
        (target / name).write_text("from the archive")
    # A note may only speak of files that are named like itself.
    foreign = {"made_of": {"video": "gone.mp4"}, "names": ["b_0000.mp4", "../x.mp4"]}
    (target / "gone.source").write_text(json.dumps(foreign))
    (target.parent / "x.mp4").write_text("mine")
    (source / "a.mp4").unlink()
    known(source)
    prepared(source, target, segment_seconds=0.5)
    notes = ["b.source", "gone.source", "list.source", "notes.source"]
    assert files_of(target) == sorted([*notes, "b_0000.mp4", "b_0001.mp4"])
    assert (target.parent / "x.mp4").exists()
    assert scan_folder(target).label_names == ["class"]


def test_copies_of_other_videos_are_not_replaced(folders, tmp_path):
    source, target = folders
    _, before = prepared(source, target, size=32)
    write_ramp(tmp_path / "others/c.mp4", count=6)
    with pytest.raises(ValueError, match="holds copies of the videos in"):
        prepare_videos(scan_folder(tmp_path / "others"), target, size=32)
    assert prepared(source, target, size=32)[1] == before
    # The same videos, moved: copies are kept.
    source.rename(tmp_path / "moved")
    assert prepared(tmp_path / "moved", target, size=32)[1] == before


def test_a_copy_that_gets_another_name_leaves_none_behind(folders):
    source, target = folders
    write_ramp(source / "a.avi", count=6, codec="mpeg4")
    prepared(source, target)
    (source / "a.avi").unlink()
    copies, _ = prepared(source, target)
    assert {n: r.num_frames for n, r in copies.items()} == {"a.mp4": 24, "b.mp4": 12}


def test_parts_are_not_named_like_another_video(folders):
    source, target = folders
    _, before = prepared(source, target, segment_seconds=1.0)
    assert [*before] == ["a_0000.mp4", "a_0001.mp4", "b.mp4"]
    write_ramp(source / "a_0000.mp4", count=7)
    copies, first = prepared(source, target, segment_seconds=1.0)
    frames = {name: r.num_frames for name, r in copies.items()}
    parts = {"a__0000.mp4": 12, "a__0001.mp4": 12}
    assert frames == {"a_0000.mp4": 7, **parts, "b.mp4": 12}
    assert first["b.mp4"] == before["b.mp4"]
    assert prepared(source, target, segment_seconds=1.0)[1] == first
    (source / "a_0000.mp4").unlink()
    copies, _ = prepared(source, target, segment_seconds=1.0)
    assert [*copies] == [*before]


def test_a_copy_that_two_videos_were_written_to_is_made_again(folders):
    source, target = folders
    write_ramp(source / "a_0000.mp4", count=7)
    prepared(source, target, segment_seconds=1.0)
    # As an earlier version left it: a part of `a` in the place of the other video.
    content = json.loads((target / "a_.source").read_text())
    content["names"] = ["a_0000.mp4", "a_0001.mp4"]
    (target / "a.source").write_text(json.dumps(content))
    (target / "a_.source").unlink()
    for part in ("a_0000.mp4", "a_0001.mp4"):
        os.replace(target / f"a_{part[1:]}", target / part)
    copies, _ = prepared(source, target, segment_seconds=1.0)
    assert [*copies] == ["a_0000.mp4", "a__0000.mp4", "a__0001.mp4", "b.mp4"]
    assert copies["a_0000.mp4"].num_frames == 7
    assert read_frames(copies["a__0001.mp4"].path, [0.0], 32).mean() > 100


def test_a_list_that_is_not_utf8_stops_nothing(folders):
    source, target = folders
    lines = b'{"video": "caf\xe9.mp4"}\n{"video": "a.mp4", "boxes": [[[0, 0, 1, 1]]]}\n'
    (source / "annotations.jsonl").write_bytes(lines)
    prepare_videos(scan_folder(source), target, size=32)
    assert [*read_box_tracks(scan_folder(target)).tracks] == ["a.mp4"]


def test_boxes_that_cannot_be_read_are_told_where_none_can(folders):
    source, target = folders
    known(source, a=[[[0, 0, 320, 240]]], b=3)
    with (source / "annotations.jsonl").open("a") as file:
        file.write("no JSON\n")
    manifest = scan_folder(source)
    rejects = prepare_videos(manifest, target, size=32)
    # The scan has told what is wrong with the third line.
    told = [[r["path"] for r in some] for some in (manifest.rejects, rejects)]
    places = [f"annotations.jsonl:{number}" for number in (1, 2, 3)]
    assert told == [places[2:], places[:2]]
    assert "between 0 and 1" in rejects[0]["reason"]
    assert scan_folder(target).label_names == ["class"]


def test_copies_of_another_part_of_the_same_videos_are_not_removed(folders):
    source, target = folders
    whole = scan_folder(source)
    one, other = (replace(whole, records=[record]) for record in whole.records)
    prepare_videos(one, target, size=32)
    with pytest.raises(ValueError, match=r"copies of 1 videos, such as a\.mp4"):
        prepare_videos(other, target, size=32)
    assert (target / "a.mp4").exists()
    assert prepare_videos(one, target, size=32) == []


def test_pieces_know_what_they_are_pieces_of(folders):
    copies, _ = prepared(*folders, segment_seconds=0.5)
    assert {r.source for r in copies.values()} == {"a.mp4", "b.mp4"}
    assert all(r.video_id[0] == r.source[0] for r in copies.values())
    # A second round keeps what the first one said.
    again, _ = prepared(folders[1], folders[1].with_name("again"))
    assert {r.source for r in again.values()} == {"a.mp4", "b.mp4"}


def test_sound_is_read_in_pieces_that_fit(tmp_path, monkeypatch):
    sound = np.sin(np.arange(3 * 16000) / 40).astype(np.float32) / 2
    write_ramp(tmp_path / "videos/a.mp4", count=36, audio=sound, sample_rate=16000)
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    prepare_videos(scan_folder(tmp_path / "videos"), whole)
    monkeypatch.setattr(prepare, "SOUND_SECONDS", 1)
    prepare_videos(scan_folder(tmp_path / "videos"), pieces)
    one, other = (read_waveform(f / "a.mp4")[0] for f in (whole, pieces))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_ctrl_c_does_not_wait_for_all_other_videos(folders):
    source, target = folders
    for number in range(10):
        write_ramp(source / f"c{number}.mp4", count=6)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_videos(scan_folder(source), target, workers=1, progress=interrupt)
    assert 1 <= len(list(target.glob("*.mp4"))) < 12
    copies, _ = prepared(source, target)
    assert len(copies) == 12


@pytest.mark.parametrize("name", ["a.mp4", "annotations.jsonl"])
def test_files_that_are_no_copies_are_not_written_over(folders, name):
    source, target = folders
    target.mkdir()
    (target / name).write_text("mine")
    with pytest.raises(ValueError, match=f"would be written over, such as {name}"):
        prepare_videos(scan_folder(source), target)
    assert [p.name for p in target.iterdir()] == [name]
    (target / name).rename(target / "notes.txt")
    prepared(source, target, size=32)


def test_names_as_long_as_they_can_be_and_folders_that_are_not_utf8(tmp_path):
    source = tmp_path / os.fsdecode(b"caf\xe9")
    name = f"{'é' * 118}.mp4"
    write_ramp(source / "a.mp4", count=4).rename(source / name)
    target = tmp_path / "small"
    for _ in range(2):
        assert prepare_videos(scan_folder(source), target) == []
    assert [r.video_id for r in scan_folder(target).records] == [name]
