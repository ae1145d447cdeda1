"""What commands take: folders and manifests, and what they remember of them."""

import json
import shutil

import numpy as np
import pytest
from media_files import write_ramp
from moment_trees import write_cut_video, write_pickle

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import CLIP_FILE, write_json
from keras_avrep.data import MomentManifest
from keras_avrep.evaluation import load_features

CLASSES = ("jump", "run")
CLIPS = ["--num-clips", "1"]
LISTED = {"train": ("1", "3", "4"), "test": ("2", "5")}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """UCF-101 in small: lists that name five of the six videos of each class."""
    root = tmp_path_factory.mktemp("ucf")
    clip = write_ramp(root / "clip.mp4", count=6)
    for name in CLASSES:
        (root / "videos" / name).mkdir(parents=True)
        for number in range(1, 7):
            shutil.copy(clip, root / "videos" / name / f"v_{number}.mp4")
    lists = root / "lists"
    lists.mkdir()
    for split, numbers in LISTED.items():
        lines = [f"{c}/v_{n}.mp4 1\n" for c in CLASSES for n in numbers]
        (lists / f"{split}list01.txt").write_text("".join(lines))
    return root


@pytest.fixture(scope="module")
def manifest(videos):
    path = videos / "ucf.json"
    scan = ["scan", str(videos / "videos"), "--layout", "ucf101", "--split", "1"]
    lists = ["--lists", str(videos / "lists"), "--out", str(path)]
    assert main([*scan, *lists]) == 0
    return path


@pytest.fixture
def run(tmp_path):
    """The folder of a run, with a backbone that has learned nothing."""
    folder = tmp_path / "run"
    backbone = ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    backbone.save_to_preset(str(folder / "preset"))
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    write_json(folder / "preset" / CLIP_FILE, clip)
    write_json(folder / "run.json", {})
    return folder


def names_of(split):
    return {f"{c}/v_{n}.mp4" for c in CLASSES for n in LISTED[split]}


def test_evaluate_goes_by_the_official_lists(run, manifest):
    assert main(["evaluate", str(run), str(manifest), *CLIPS]) == 0
    gallery, queries = load_features(run / "features.npz")
    assert set(gallery.paths) == names_of("train")
    assert set(queries.paths) == names_of("test")
    assert set(queries.labels["class"]) == set(CLASSES)


def test_every_command_takes_a_manifest(run, manifest, tmp_path):
    out = tmp_path / "f.npz"
    assert main(["embed", str(run), str(manifest), "--out", str(out), *CLIPS]) == 0
    with np.load(out) as content:
        assert set(content["path"]) == names_of("train") | names_of("test")
    tuned = ["finetune", str(run), str(manifest), "--out", str(tmp_path / "tuned")]
    assert main([*tuned, "--epochs", "1", "--clips-per-epoch", "1"]) == 0
    exported = ["export", str(run), str(manifest), "--formats", "litert"]
    assert main(exported) == 0
    small = tmp_path / "small"
    assert main(["prepare", str(manifest), "--out", str(small), "--size", "16"]) == 0
    lines = (small / "annotations.jsonl").read_text().splitlines()
    splits = {entry["video"]: entry["split"] for entry in map(json.loads, lines)}
    assert {k for k, v in splits.items() if v == "test"} == names_of("test")
    trained = tmp_path / "trained"
    pretrain = ["pretrain", str(manifest), "--out", str(trained), "--steps", "1"]
    pretrain += ["--batch-size", "4", "--num-frames", "2", "--size", "20"]
    pretrain += ["--loss-weights", "vv=1"]
    assert main([*pretrain, "--view-size", "16", "--precision", "float32"]) == 0
    assert json.loads((trained / "summary.json").read_text())["data"]["videos"] == 10


def test_videos_that_are_gone_from_a_manifest_are_left_out(
    run, videos, tmp_path, capsys
):
    shutil.copytree(videos / "videos", tmp_path / "videos")
    manifest, out = tmp_path / "m.json", tmp_path / "f.npz"
    assert main(["scan", str(tmp_path / "videos"), "--out", str(manifest)]) == 0
    (tmp_path / "videos/run/v_1.mp4").unlink()
    assert main(["embed", str(run), str(manifest), "--out", str(out), *CLIPS]) == 0
    assert "run/v_1.mp4: listed in m.json but not there" in capsys.readouterr().out
    with np.load(out) as content:
        assert len(content["path"]) == 11


def test_mistakes_are_one_sentence(run, videos, tmp_path, capsys):
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"records": 3}')
    folder, lists = str(videos / "videos"), str(videos / "lists")
    (tmp_path / "empty").mkdir()
    for command, words in (
        (["evaluate", str(run), str(wrong)], "is no manifest"),
        (["evaluate", str(run), f"{folder}/run/v_1.mp4"], "is no manifest"),
        (["evaluate", str(run), str(tmp_path / "empty")], "no usable videos"),
        (["scan", folder, "--lists", lists], "--lists needs --layout"),
        (["scan", folder, "--layout", "ucf101"], "needs --lists"),
        (["scan", folder, "--layout", "ucf101", "--lists", folder], "is missing"),
        (
            ["scan", folder, "--layout", "ucf101", "--lists", lists, "--split", "9"],
            "must be 1, 2 or 3",
        ),
        (
            ["scan", folder, "--layout", "hmdb51", "--lists", lists, "--version", "1"],
            "--version is for",
        ),
        (["scan", folder, "--layout", "kinetics", "--lists", lists], "train.csv"),
    ):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert words in error
        assert len(error.strip().splitlines()) == 1


def test_a_test_split_alone_cannot_be_evaluated(run, videos, tmp_path, capsys):
    entry = {"split": "test", "labels": {"class": "a"}}
    shutil.copy(videos / "clip.mp4", tmp_path / "a.mp4")
    line = json.dumps({"video": "a.mp4", **entry})
    (tmp_path / "annotations.jsonl").write_text(line)
    assert main(["evaluate", str(run), str(tmp_path)]) == 2
    assert "no usable videos for the split 'train'" in capsys.readouterr().err


def test_kinetics_is_read_with_the_lists_of_training_and_validation(
    videos, tmp_path, capsys
):
    lists = tmp_path / "csv"
    lists.mkdir()
    header = "label,youtube_id,time_start,time_end,split\n"
    (lists / "train.csv").write_text(f"{header}run,v_1,0,1,train\nrun,v_2,0,1,train\n")
    rows = "jump,v_3,0,1,validate\nrun,v_2,0,1,validate\n"
    (lists / "validate.csv").write_text(header + rows)
    out = tmp_path / "k.json"
    scan = ["scan", str(videos / "videos"), "--layout", "kinetics", "--out", str(out)]
    assert main([*scan, "--lists", str(lists)]) == 0
    content = json.loads(out.read_text())
    found = {r["video_id"]: (r["split"], r["labels"]) for r in content["records"]}
    assert found == {
        "run/v_1.mp4": ("train", {"class": "run"}),
        "run/v_2.mp4": ("train", {"class": "run"}),
        "jump/v_3.mp4": ("val", {"class": "jump"}),
    }
    assert [r["path"] for r in content["rejects"]] == ["run/v_2.mp4"]
    one = ["--lists", str(lists / "train.csv")]
    assert main([*scan, *one]) == 0
    assert len(json.loads(out.read_text())["records"]) == 2


def test_vggsound_is_read_with_its_splits_or_the_clips_that_count(
    videos, tmp_path, capsys
):
    out, lists = tmp_path / "v.json", tmp_path / "vggsound.csv"
    lists.write_text("v_1,30,run,train\nv_2,0,run,test\nv_9,0,run,test\n")
    scan = ["scan", str(videos / "videos"), "--layout", "vggsound", "--out", str(out)]
    scan += ["--lists", str(lists)]

    def found(*more):
        assert main([*scan, *more]) == 0
        content = json.loads(out.read_text())
        rejects = [r["path"] for r in content["rejects"]]
        return {r["video_id"]: r["split"] for r in content["records"]}, rejects

    places = {"run/v_1.mp4": "train", "run/v_2.mp4": "test"}
    assert found() == (places, ["v_9_000000.mp4"])
    only = tmp_path / "clips.txt"
    only.write_text("v_2.flac v_2.mp4\n")
    assert found("--only", str(only)) == ({"run/v_2.mp4": "train"}, [])
    lists.write_text("v_1,30,run,train\n")
    assert found() == ({"run/v_1.mp4": "train"}, [])
    lists.write_text("v_1_000030.mp4,run\n")
    assert main(scan) == 2
    assert "vggsound.csv needs --split" in capsys.readouterr().err
    scan[-1] = str(lists.rename(tmp_path / "test.csv"))
    assert found() == ({"run/v_1.mp4": "test"}, [])
    only.write_text("v_1.flac v_1.mp4\n")
    assert found("--only", str(only)) == ({"run/v_1.mp4": "test"}, [])


def test_what_is_cut_into_seconds_is_listed_for_localisers_only(run, tmp_path, capsys):
    out = tmp_path / "m.json"
    write_cut_video(tmp_path / "set", "a" * 11, seconds=2)
    write_cut_video(tmp_path / "set", "b" * 11, seconds=1)
    for name, content in (
        ("list.pkl", ["a" * 11]),
        ("list_label.pkl", {"a" * 11: np.array([0, 1, 0])}),
    ):
        write_pickle(tmp_path / name, content)
    scan = ["scan", str(tmp_path / "set"), "--out", str(out), "--layout"]
    lists = ["--lists", str(tmp_path / "list.pkl"), "--split", "test"]
    assert main([*scan, "audioset_instruments", *lists]) == 0
    records = MomentManifest.load(out).records
    assert [(r.moment_id, r.split) for r in records] == [
        (f"{'a' * 11}/{second}", "test") for second in ("000", "001")
    ]
    assert records[0].labels == {"class": "01"}
    capsys.readouterr()
    assert main(["evaluate", str(run), str(out), *CLIPS]) == 2
    assert "m.json is no manifest of videos" in capsys.readouterr().err
    only = tmp_path / "only.txt"
    only.write_text(f"{'b' * 11}.flac {'b' * 11}.mp4\n")
    assert main([*scan, "music", "--only", str(only)]) == 0
    (record,) = MomentManifest.load(out).records
    assert (record.video_id, record.split, record.labels) == ("b" * 11, "train", {})
    assert main([*scan, "audioset_instruments", "--only", str(only), *lists]) == 2
    assert "--only is for --layout vggsound and music" in capsys.readouterr().err
    assert main([*scan, "music", "--cache", str(tmp_path / "c.json")]) == 2
    assert "--cache is for videos" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no manifest of moments"):
        MomentManifest.load(run / "run.json")


@pytest.mark.parametrize("layout", ["hmdb51", "diving48"])
def test_other_layouts_are_read(layout, videos, tmp_path):
    lists, out = tmp_path / "lists", tmp_path / "m.json"
    lists.mkdir()
    folder = videos / "videos"
    if layout == "hmdb51":
        for name in CLASSES:
            text = "v_1.mp4 1\nv_2.mp4 2\nv_3.mp4 0\n"
            (lists / f"{name}_test_split2.txt").write_text(text)
        more, expected = ["--split", "2"], {"train": 2, "test": 2}
    else:
        folder, more = folder / "run", ["--version", "1"]
        for split, number in (("train", 1), ("test", 2)):
            entries = [{"vid_name": f"v_{number}", "label": 3}]
            (lists / f"Diving48_{split}.json").write_text(json.dumps(entries))
        expected = {"train": 1, "test": 1}
    scan = ["scan", str(folder), "--layout", layout, "--lists", str(lists), *more]
    assert main([*scan, "--out", str(out)]) == 0
    splits = [r["split"] for r in json.loads(out.read_text())["records"]]
    assert {s: splits.count(s) for s in splits} == expected


def test_checked_videos_are_remembered_and_the_checking_is_shown(
    run, videos, tmp_path, capsys, monkeypatch
):
    folder = str(videos / "videos")
    assert main(["evaluate", str(run), folder, *CLIPS]) == 0
    assert "checked 12/12" in capsys.readouterr().out
    cache = json.loads((run / "manifest_cache.json").read_text())
    assert len(cache) == 12
    # Without `probe`, a file that is opened again would be a reject.
    monkeypatch.setattr("keras_avrep.data.manifest.probe", None)
    out = str(tmp_path / "f.npz")
    assert main(["embed", str(run), folder, "--out", out, *CLIPS]) == 0
    assert "12 videos" in capsys.readouterr().out


def test_without_a_run_the_cache_is_beside_the_output(run, videos, tmp_path):
    out = tmp_path / "somewhere" / "f.npz"
    arguments = [str(run / "preset"), str(videos / "videos"), "--out", str(out)]
    assert main(["embed", *arguments, *CLIPS]) == 0
    assert (out.parent / ".manifest_cache.json").exists()
    small = tmp_path / "small"
    assert main(["prepare", str(videos / "videos"), "--out", str(small)]) == 0
    assert (small / ".manifest_cache.json").exists()
