"""Videos that a scan takes for good and that then cannot be decoded."""

import json
import shutil
from types import SimpleNamespace

import pytest
from media_files import write_ramp

from keras_avrep.backbones import ResNet3DBackbone
from keras_avrep.cli.finetune import of_known_classes
from keras_avrep.cli.main import main
from keras_avrep.cli.run_folder import CLIP_FILE, read_json, write_json


@pytest.fixture
def manifest(tmp_path):
    """Six videos of each of two classes, one of them spoilt after the scan."""
    clip, folder = write_ramp(tmp_path / "clip.mp4", count=6), tmp_path / "videos"
    for split, count in (("train", 4), ("test", 2)):
        for name in ("jump", "run"):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                shutil.copy(clip, folder / split / name / f"{number}.mp4")
    (folder / "train/run/no.mp4").write_text("no video")
    path = tmp_path / "manifest.json"
    assert main(["scan", str(folder), "--out", str(path)]) == 0
    for name in ("train/run/1.mp4", "test/jump/0.mp4"):
        (folder / name).write_text("no video any more")
    return path


@pytest.fixture
def run(tmp_path, manifest):
    folder = tmp_path / "run"
    backbone = ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    backbone.save_to_preset(str(folder / "preset"))
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    write_json(folder / "preset" / CLIP_FILE, clip)
    write_json(folder / "run.json", {"folder": str(manifest)})
    write_json(folder / "summary.json", {"data": {"videos": 12, "rejected": 2}})
    lines = [{"path": p, "reason": "seen"} for p in ("train/run/no.mp4", "gone.mp4")]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "rejects.jsonl").write_text(text)
    return folder


SPOILT = ["train/run/no.mp4", "train/run/1.mp4", "test/jump/0.mp4"]


def paths_in(file):
    return [json.loads(line)["path"] for line in file.read_text().splitlines()]


def test_evaluate_lists_and_counts_what_could_not_be_embedded(run, manifest):
    assert main(["evaluate", str(run), str(manifest), "--num-clips", "1"]) == 0
    # It was trained on them, so they go where the report looks.
    assert sorted(paths_in(run / "rejects.jsonl")) == sorted([*SPOILT, "gone.mp4"])
    assert read_json(run / "summary.json")["data"] == {"videos": 12, "rejected": 4}
    assert read_json(run / "evaluation.json")["rejected"] == 4


def test_rejects_of_other_videos_have_a_list_of_their_own(run, manifest, tmp_path):
    before = (run / "rejects.jsonl").read_text()
    write_json(run / "run.json", {"folder": str(tmp_path / "others")})
    assert main(["evaluate", str(run), str(manifest), "--num-clips", "1"]) == 0
    assert paths_in(run / "evaluation_rejects.jsonl") == SPOILT
    assert read_json(run / "evaluation.json")["rejected"] == 3
    assert (run / "rejects.jsonl").read_text() == before


def test_finetune_lists_each_video_once(run, manifest, tmp_path, capsys):
    out = tmp_path / "tuned"
    tune = ["finetune", str(run), str(manifest), "--out", str(out), "--epochs", "1"]
    assert main([*tune, "--clips-per-epoch", "2", "--batch-size", "4"]) == 0
    assert paths_in(out / "rejects.jsonl") == SPOILT
    assert read_json(out / "classifier.json")["rejected"] == 3
    assert "1.mp4: cannot be opened" in capsys.readouterr().out


def test_finetune_tells_of_classes_that_no_training_video_has(capsys):
    videos = [SimpleNamespace(labels={"class": c}) for c in ("a", "c", "d", "c")]
    known = of_known_classes(videos, "class", ["a", "b"], print)
    assert known == videos[:1]
    assert "3 held-out videos are left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match="No held-out video has a class"):
        of_known_classes(videos[1:], "class", ["a", "b"], print)


def test_finetune_refuses_a_single_class(run, tmp_path, capsys):
    videos = tmp_path / "videos"
    lines = [
        {"video": p.relative_to(videos).as_posix(), "labels": {"class": "run"}}
        for p in videos.rglob("*.mp4")
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (videos / "annotations.jsonl").write_text(text)
    assert main(["finetune", str(run), str(videos), "--out", str(tmp_path / "t")]) == 2
    assert "needs two classes" in capsys.readouterr().err


def test_evaluate_takes_folders_of_one_video_and_classes_nobody_has_learned(
    run, tmp_path, capsys
):
    clip, days = tmp_path / "clip.mp4", tmp_path / "days"
    for number in range(12):
        (days / f"day{number}").mkdir(parents=True)
        shutil.copy(clip, days / f"day{number}/a.mp4")
    assert main(["evaluate", str(run), str(days), "--num-clips", "1"]) == 0
    assert "each of 12 folders holds one video only" in capsys.readouterr().out
    # As classes of their own, those held out are in no training video.
    lines = [
        {"video": f"day{n}/a.mp4", "labels": {"class": f"c{n}"}} for n in range(12)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (days / "annotations.jsonl").write_text(text)
    assert main(["evaluate", str(run), str(days), "--num-clips", "1"]) == 0
    assert "class: 3 of 3 test videos have a class" in capsys.readouterr().out
    probe = read_json(run / "evaluation.json")["probe"]["class"]
    assert probe["linear"] == probe["knn"] == 0
    out = tmp_path / "tuned"
    assert main(["finetune", str(run), str(days), "--out", str(out)]) == 2
    assert "No held-out video has a class" in capsys.readouterr().err
