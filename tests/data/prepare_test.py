"""When a prepared copy is kept, and when it is made again."""

import os
from pathlib import Path

import pytest
from media_files import write_ramp

from keras_avrep.data import prepare_videos, scan_folder


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
