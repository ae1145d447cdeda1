import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from media_files import cut, write_ramp

from keras_avrep.cli.scan import describe
from keras_avrep.data import (
    Manifest,
    VideoRecord,
    manifest,
    scan_folder,
    split_records,
)
from keras_avrep.data.annotations import folder_labels, read_annotations
from keras_avrep.data.video_files import find_video_files


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


def test_files_that_were_cut_short_are_noted_and_kept(tmp_path):
    write_ramp(tmp_path / "videos/whole.mkv")
    cut(write_ramp(tmp_path / "videos/half.mkv", codec="mpeg4"), 0.5)
    manifest = scan_folder(tmp_path / "videos", tmp_path / "cache.json")
    assert len(manifest.records) == 2
    assert [r.video_id for r in manifest.cut_short] == ["half.mkv"]
    again = scan_folder(tmp_path / "videos", tmp_path / "cache.json")
    assert again == manifest
    lines = []
    describe(manifest, lines.append)
    assert any("1 cut short" in line for line in lines)


def test_a_cache_from_before_a_check_is_not_trusted(tmp_path):
    root, cache = tmp_path / "videos", tmp_path / "cache.json"
    cut(write_ramp(root / "a.mkv", codec="mpeg4"), 0.5)
    (record,) = scan_folder(root, cache).records
    entries = json.loads(cache.read_text())
    for entry in entries.values():
        entry["stamp"] = entry["stamp"][:2]
        entry["info"]["missing_seconds"] = 0.0
    cache.write_text(json.dumps(entries))
    assert scan_folder(root, cache).records == [record]


def test_links_in_a_circle_and_to_the_same_folder_add_nothing(tmp_path):
    names = ["jump/a.mp4", "run/b.mp4", "run/c.mp4"]
    for name in names:
        write_ramp(tmp_path / name, count=6)
    (tmp_path / "run/loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "run")
    (tmp_path / "jump/self").symlink_to(".")
    manifest = scan_folder(tmp_path)
    assert [r.video_id for r in manifest.records] == names
    assert manifest.classes("class") == ["jump", "run"]


def test_linked_folders_are_still_followed(tmp_path):
    write_ramp(tmp_path / "elsewhere/a.mp4", count=6)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/link").symlink_to(tmp_path / "elsewhere")
    assert [r.video_id for r in scan_folder(tmp_path / "videos").records] == [
        "link/a.mp4"
    ]


def test_files_that_go_with_videos_are_counted(tmp_path):
    write_ramp(tmp_path / "a.mp4", count=6)
    for name in ("a.txt", "b.JPG", "deep/c.wav", ".hidden.txt", "annotations.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    manifest = scan_folder(tmp_path)
    assert (manifest.other_files, manifest.rejects) == (3, [])
    lines = []
    describe(manifest, lines.append)
    assert any("3 other files left alone" in line for line in lines)
    manifest.save(tmp_path / "m.json")
    assert Manifest.load(tmp_path / "m.json") == manifest


@pytest.mark.parametrize("labels", [None, ["run"], {"class": None}, {"class": [1]}])
def test_labels_that_are_none_cost_one_line(tmp_path, labels):
    for name in ("a.mp4", "b.mp4"):
        write_ramp(tmp_path / name, count=6)
    lines = [{"video": "a.mp4", "labels": labels}]
    lines += [{"video": "b.mp4", "labels": {"class": "run"}}, ["c.mp4"]]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "annotations.jsonl").write_text(text)
    manifest = scan_folder(tmp_path)
    assert [r.labels for r in manifest.records] == [{}, {"class": "run"}]
    assert [r["path"] for r in manifest.rejects] == [
        "annotations.jsonl:1",
        "annotations.jsonl:3",
    ]
    assert "labels" in manifest.rejects[0]["reason"]


def test_names_that_are_not_utf8_stop_nothing(tmp_path, capfd):
    folder = os.fsencode(tmp_path / "videos")
    os.makedirs(folder)
    clip = write_ramp(tmp_path / "clip.mp4", count=6)
    for name in (b"good.mp4", b"caf\xe9.mp4"):
        shutil.copy(os.fsencode(clip), os.path.join(folder, name))
    with open(os.path.join(folder, b"bad\xe9.mp4"), "w") as file:
        file.write("no video")
    rejects = tmp_path / "rejects.jsonl"
    command = ["scan", str(tmp_path / "videos"), "--rejects", str(rejects)]
    code = "from keras_avrep.cli.main import run; run()"
    program = [sys.executable, "-c", code, *command]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    assert subprocess.run(program, env=strict).returncode == 0
    assert "2 videos" in capfd.readouterr().out
    (line,) = rejects.read_text().splitlines()
    assert os.fsencode(json.loads(line)["path"]) == b"bad\xe9.mp4"


def write_copies(root, names):
    clip = write_ramp(root / names[0], count=6)
    for name in names[1:]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, root / name)


def described(manifest):
    lines = []
    describe(manifest, lines.append)
    return "\n".join(lines)


def test_folders_of_one_video_each_are_no_classes(tmp_path):
    write_copies(tmp_path, [f"day{number}/a.mp4" for number in range(12)])
    manifest = scan_folder(tmp_path)
    assert manifest.label_names == []
    assert "each of 12 folders holds one video only" in described(manifest)
    train, test = split_records(manifest.records)
    assert (len(train), len(test)) == (9, 3)
    manifest.save(tmp_path / "m.json")
    assert Manifest.load(tmp_path / "m.json") == manifest


def test_a_class_of_one_video_in_each_split_is_a_class():
    labels, notes = folder_labels(["train/a/1", "test/a/2", "train/b/3"])
    assert labels[1] == {"split": "test", "labels": {"class": "a"}}
    assert notes == []


def test_classes_of_one_video_are_divided_together():
    alone = [
        VideoRecord(path=f"/{n}", video_id=str(n), labels={"class": f"alone{n}"})
        for n in range(8)
    ]
    train, test = split_records([*alone, *records(4, labels={"class": "several"})])
    assert sum(r.labels["class"] == "several" for r in test) == 1
    assert (len(train), len(test)) == (9, 3)


def test_stray_videos_beside_class_folders_are_told(tmp_path):
    write_copies(tmp_path, ["x.mp4", "run/a.mp4", "run/b.mp4", "jump/a.mp4"])
    manifest = scan_folder(tmp_path)
    note = "1 video lies in no class folder (x.mp4), so folders are not taken as labels"
    assert note in described(manifest)
    # Nobody means a single folder, or none, as a class.
    assert folder_labels(["x", "y"])[1] == folder_labels(["x", "a/y"])[1] == []
    (note,) = folder_labels(["a", "b", "c", "d", "train/e", "test/f"])[1]
    assert note.startswith("4 videos lie in no split folder (a, b, c, …), so")


def test_how_many_lack_a_label_is_told(tmp_path):
    write_copies(tmp_path, ["a.mp4", "b.mp4", "c.mp4"])
    lines = [
        {"video": "a.mp4", "labels": {"class": "run", "place": "in"}},
        {"video": "b.mp4", "labels": {"class": "run"}},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "annotations.jsonl").write_text(text)
    told = described(scan_folder(tmp_path))
    assert "class: 1 of 3 videos lacks it (c.mp4)" in told
    assert "place: 2 of 3 videos lack it (b.mp4, c.mp4)" in told


@pytest.mark.parametrize("split", [["train"], 7, {"a": 1}])
def test_splits_that_are_none_cost_one_line(tmp_path, split):
    write_copies(tmp_path, ["a.mp4", "b.mp4"])
    lines = [{"video": "a.mp4", "split": split}, {"video": "b.mp4", "split": "test"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "annotations.jsonl").write_text(text)
    manifest = scan_folder(tmp_path)
    assert [r.split for r in manifest.records] == [None, "test"]
    (reject,) = manifest.rejects
    assert reject["path"] == "annotations.jsonl:1" and "split" in reject["reason"]


def test_a_byte_order_mark_costs_no_line(tmp_path):
    write_copies(tmp_path, ["a.mp4"])
    line = json.dumps({"video": "a.mp4", "split": "test"})
    (tmp_path / "annotations.jsonl").write_text(line, encoding="utf-8-sig")
    manifest = scan_folder(tmp_path)
    assert manifest.rejects == [] and manifest.records[0].split == "test"


def test_files_that_were_cut_short_are_written(tmp_path):
    cut(write_ramp(tmp_path / "half.mkv", codec="mpeg4"), 0.5)
    manifest = scan_folder(tmp_path)
    manifest.write_cut_short(tmp_path / "cut_short.jsonl")
    (line,) = map(json.loads, (tmp_path / "cut_short.jsonl").read_text().splitlines())
    assert line["path"] == "half.mkv"
    assert line["missing_seconds"] == pytest.approx(
        manifest.records[0].missing_seconds, abs=1e-3
    )


@contextmanager
def without_rights():
    """As a user who may not read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_folders_that_cannot_be_read_are_rejects(tmp_path, monkeypatch):
    for name in ("open/a.mp4", "closed/b.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    # From within: another user may not come through what is above.
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").chmod(0)
    try:
        with without_rights():
            files, _, rejects = find_video_files(Path("."))
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert files == [Path("open/a.mp4")]
    (reject,) = rejects
    assert reject["path"] == "closed" and "Permission denied" in reject["reason"]


def test_what_finding_rejects_is_in_the_manifest(tmp_path):
    write_copies(tmp_path, ["a.mp4"])
    deep = tmp_path
    here = os.getcwd()
    try:
        # A path that is longer than any system takes cannot be read by anyone.
        for _ in range(20):
            os.chdir(deep)
            deep = Path("d" * 250)
            deep.mkdir()
    finally:
        os.chdir(here)
    manifest = scan_folder(tmp_path)
    assert [r.video_id for r in manifest.records] == ["a.mp4"]
    (reject,) = manifest.rejects
    assert reject["path"].startswith("ddd")
    assert "cannot be read" in reject["reason"]


def test_an_interrupted_scan_remembers_what_it_has_seen(tmp_path, monkeypatch):
    for number in range(12):
        write_ramp(tmp_path / f"videos/{number}.mp4", count=6)
    opened, probe, two_done = [], manifest.probe, threading.Event()

    def counted(path):
        opened.append(path)
        if len(opened) == 3:
            two_done.wait()
        return probe(path)

    def interrupt(done, _):
        if done == 2:
            two_done.set()
            raise KeyboardInterrupt

    cache = tmp_path / "cache.json"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest, "probe", counted)
        scan_folder(tmp_path / "videos", cache, workers=1, progress=interrupt)
    assert len(json.loads(cache.read_text())) == 2
    # Nor are all the others opened first.
    assert len(opened) < 12
    assert len(scan_folder(tmp_path / "videos", cache).records) == 12


def test_what_could_not_be_read_is_tried_again(tmp_path, monkeypatch):
    write_ramp(tmp_path / "videos/a.mp4", count=6)
    cache = tmp_path / "cache.json"
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "probe", lambda path: 1 / 0)
        assert len(scan_folder(tmp_path / "videos", cache).rejects) == 1
    assert len(scan_folder(tmp_path / "videos", cache).records) == 1


def test_names_may_hold_what_ends_a_line_elsewhere(tmp_path):
    name = "a\u2028b.mp4"
    write_ramp(tmp_path / name, count=6)
    line = json.dumps({"video": name, "labels": {"class": "x"}}, ensure_ascii=False)
    (tmp_path / "annotations.jsonl").write_text(line + "\r\n", encoding="utf-8")
    found = scan_folder(tmp_path)
    assert found.rejects == [] and found.records[0].labels == {"class": "x"}


@pytest.mark.parametrize(
    "splits", ["train valid", "Train Test", "training testing", "pretrain dev"]
)
def test_folders_of_splits_are_no_classes_whatever_they_are_called(splits):
    places = [f"{split}/{name}" for split in splits.split() for name in "ab"]
    said, notes = folder_labels([f"{place}/{i}.mp4" for place in places for i in "12"])
    expected = [place.split("/")[0].lower() for place in places for _ in "12"]
    assert [entry["split"] for entry in said] == expected
    assert [entry["labels"]["class"] for entry in said] == list("aabb" * 2)
    assert notes == []


def test_nothing_is_said_by_what_tables_leave_empty(tmp_path):
    lines = [
        {"video": "a.mp4", "split": "", "source": None},
        {"video": "b.mp4", "split": " test ", "source": ""},
        {"video": "c.mp4", "split": None, "source": 7},
    ]
    path = tmp_path / "annotations.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    annotations, bad = read_annotations(path)
    assert bad == []
    assert [annotations[f"{n}.mp4"]["split"] for n in "abc"] == [None, "test", None]
    assert [annotations[f"{n}.mp4"].get("source") for n in "abc"] == [None, None, "7"]
