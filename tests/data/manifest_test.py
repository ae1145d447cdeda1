import json
import os

import pytest
from media_files import write_ramp

from keras_avrep.data import Manifest, VideoRecord, scan_folder, split_records


def folder_of_classes(root):
    for name in ("run/a.mp4", "run/b.mkv", "jump/deep/c.mp4"):
        write_ramp(root / name, count=6)
    (root / "jump/broken.mp4").write_text("no video")
    (root / "run/empty.mov").write_bytes(b"")
    (root / "run/notes.xyz").write_text("what is this")
    (root / "run/notes.txt").write_text("a companion, no mistake")
    return root


def test_scan_labels_by_sub_folder_and_lists_rejects(tmp_path):
    manifest = scan_folder(folder_of_classes(tmp_path))
    assert [r.video_id for r in manifest.records] == [
        "jump/deep/c.mp4",
        "run/a.mp4",
        "run/b.mkv",
    ]
    assert manifest.label_names == ["class"]
    assert manifest.classes("class") == ["jump", "run"]
    reasons = {r["path"]: r["reason"] for r in manifest.rejects}
    assert set(reasons) == {"jump/broken.mp4", "run/empty.mov", "run/notes.xyz"}
    assert "empty" in reasons["run/empty.mov"]


def test_manifest_and_rejects_survive_a_file(tmp_path):
    manifest = scan_folder(folder_of_classes(tmp_path / "videos"))
    manifest.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path / "manifest.json") == manifest
    manifest.write_rejects(tmp_path / "rejects.jsonl")
    lines = (tmp_path / "rejects.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == manifest.rejects


def test_cache_is_used_and_notices_changed_files(tmp_path):
    root, cache = tmp_path / "videos", tmp_path / "cache.json"
    path = write_ramp(root / "a.mp4", count=6)
    assert len(scan_folder(root, cache).records) == 1
    # Same size and time, other content: the cache is trusted.
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(scan_folder(root, cache).records) == 1
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    changed = scan_folder(root, cache)
    assert (len(changed.records), len(changed.rejects)) == (0, 1)


def test_a_damaged_cache_is_ignored(tmp_path):
    write_ramp(tmp_path / "videos/a.mp4", count=6)
    (tmp_path / "cache.json").write_text("{")
    found = scan_folder(tmp_path / "videos", tmp_path / "cache.json")
    assert len(found.records) == 1


def test_annotations_give_labels_and_splits(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_ramp(tmp_path / name, count=6)
    lines = [
        {"video": "a.mp4", "split": "train", "labels": {"motion": "left"}},
        {"video": "gone.mp4", "split": "test", "labels": {}},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\nnot json\n"
    (tmp_path / "annotations.jsonl").write_text(text)
    manifest = scan_folder(tmp_path)
    assert manifest.split("train")[0].labels == {"motion": "left"}
    rejected = {r["path"] for r in manifest.rejects}
    assert rejected == {"gone.mp4", "annotations.jsonl:3"}


def test_scanning_no_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="not a folder"):
        scan_folder(tmp_path / "nowhere")


def records(count, **kwargs):
    return [VideoRecord(path=f"/{i}", video_id=str(i), **kwargs) for i in range(count)]


def test_split_divides_every_class_and_follows_the_seed():
    some = records(8, labels={"class": "a"})
    more = [
        VideoRecord(path=f"/b{i}", video_id=f"b{i}", labels={"class": "b"})
        for i in range(4)
    ]
    train, test = split_records(some + more, test_fraction=0.25, seed=1)
    assert (len(train), len(test)) == (9, 3)
    assert {r.labels["class"] for r in test} == {"a", "b"}
    assert split_records(some + more, seed=1) == (train, test)
    assert not {r.path for r in train} & {r.path for r in test}


def test_given_splits_are_kept():
    given = records(3, split="train") + records(2, split="test")
    train, test = split_records(given)
    assert (len(train), len(test)) == (3, 2)
