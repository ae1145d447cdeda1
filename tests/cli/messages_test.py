"""What commands say of arguments, folders and readers that are not as they should."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from media_files import cut, write_ramp
from PIL import Image

from keras_avrep.cli.argument_types import finite, loss_weights, output_folder, share
from keras_avrep.cli.evaluate import is_of_training, write_results
from keras_avrep.cli.finetune import chosen_label, leave_out_unlabelled
from keras_avrep.cli.main import NOBODY_READS, build_parser, main
from keras_avrep.cli.measuring import own_video_retrieval, tell_unknown
from keras_avrep.cli.render import SCENES
from keras_avrep.cli.run_folder import clip_arguments, write_json
from keras_avrep.cli.videos import reject_writer
from keras_avrep.data import ClipSource, Manifest, VideoRecord, scan_folder
from keras_avrep.report.run_reader import read_run
from keras_avrep.views import RandomClips
from keras_avrep.worlds import ScenesWorld

PROGRAM = [sys.executable, "-c", "from keras_avrep.cli.main import run; run()"]


@pytest.mark.parametrize(
    "words",
    [
        ["render", "out", "--seed", "-1"],
        ["render", "out", "--contrast", "nan"],
        ["render", "out", "--switch-probability", "2"],
        ["render", "out", "--speed", "nan", "1"],
        ["pretrain", "videos", "--out", "out", "--seed", "-1"],
        ["pretrain", "videos", "--out", "out", "--loss-weights", "vv=nan"],
        ["finetune", "run", "videos", "--out", "out", "--flip", "7"],
        ["finetune", "run", "videos", "--out", "out", "--seed", str(2**32)],
        ["evaluate", "run", "videos", "--seed", "-1"],
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert next(w for w in reversed(words) if w.startswith("--")) in error
    assert len(error.strip().splitlines()) == 1


def test_a_file_is_no_folder_for_results(tmp_path, capsys):
    file = tmp_path / "afile"
    file.write_text("mine")
    for words in (
        ["pretrain", "videos", "--out", str(file)],
        ["finetune", "run", "videos", "--out", str(file / "inside")],
        ["render", str(file)],
    ):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
        assert "afile is a file; give a folder" in capsys.readouterr().err
    assert output_folder(str(tmp_path / "new/deep")) == str(tmp_path / "new/deep")


def test_numbers_in_range_are_taken():
    assert (finite("-3.5"), share("1"), share("0")) == (-3.5, 1.0, 0.0)
    assert loss_weights("vv=1, vs=0.5") == {"vv": 1.0, "vs": 0.5}
    with pytest.raises(argparse.ArgumentTypeError, match="not like"):
        loss_weights("vv")


def test_render_takes_the_controls_of_difficulty(tmp_path, capsys):
    run = ["render", str(tmp_path / "slow"), "--pretrain", "3", "--train", "0"]
    run += ["--test", "0", "--size", "24", "--num-frames", "3", "--fixed-scenes"]
    assert main([*run, "--speed", "0.5", "1", "--switch-probability", "0"]) == 0
    config = json.loads((tmp_path / "slow/world.json").read_text())
    assert config["speed"] == [0.5, 1.0]
    assert (config["switch_probability"], config["fresh_scenes"]) == (0.0, False)
    lines = (tmp_path / "slow/annotations.jsonl").read_text().splitlines()
    for entry in map(json.loads, lines):
        assert 0.5 <= entry["sprites"][0]["speed"] <= 1
        assert len(entry["motions"][0]) == 1
    assert main([*run, "--speed", "2", "1"]) == 2
    assert "--speed is 2 1" in capsys.readouterr().err


def test_defaults_of_render_are_those_of_the_world(capsys):
    world = ScenesWorld()
    assert SCENES["speed"] == world.speed
    assert SCENES["switch_probability"] == world.switch_probability
    assert SCENES["fixed_scenes"] is not world.fresh_scenes
    with pytest.raises(SystemExit):
        build_parser().parse_args(["render", "--help"])
    assert "(2.5 4.5)" in " ".join(capsys.readouterr().out.split())


def test_render_lists_photos_that_cannot_be_read(tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 40)).save(photos / "good.png")
    (photos / "bad.jpg").write_text("no picture")
    run = ["render", str(tmp_path / "out"), "--pretrain", "0", "--train", "1"]
    run += ["--test", "0", "--size", "24", "--num-frames", "3", "--photos"]
    assert main([*run, str(photos)]) == 0
    assert "bad.jpg: cannot be read as a picture" in capsys.readouterr().out
    assert "bad.jpg" in (tmp_path / "out/rejects.jsonl").read_text()
    assert main([*run, str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err


def test_render_leaves_folders_of_other_files_alone(tmp_path, capsys):
    (tmp_path / "annotations.jsonl").write_text("mine")
    assert main(["render", str(tmp_path), "--pretrain", "1"]) == 2
    assert "choose an empty folder" in capsys.readouterr().err
    assert (tmp_path / "annotations.jsonl").read_text() == "mine"


def test_nobody_reading_ends_a_command_quietly(tmp_path):
    write_ramp(tmp_path / "a.mp4", count=3)
    read, write = os.pipe()
    os.close(read)
    command = [*PROGRAM, "scan", str(tmp_path)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (NOBODY_READS, b"")


def test_tensorflow_says_nothing_on_another_backend():
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [*PROGRAM, "presets"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "dclr_tiny" in done.stdout
    assert done.stderr == ""


def record(name, **labels):
    return VideoRecord(path=f"/{name}", video_id=name, labels=labels)


def test_finetune_says_what_keeps_labels_from_being_there():
    note = "1 video lies in no class folder (x.mp4), so folders are not …"
    with pytest.raises(ValueError, match="no labels: 1 video lies in no class folder"):
        chosen_label(None, [record("a"), record("b")], [note])
    with pytest.raises(ValueError, match="put each class into its own sub-folder"):
        chosen_label(None, [record("a"), record("b")])
    some = [record("a", motion="up", scene="sea"), record("b", scene="sea")]
    assert chosen_label(None, some) == "scene"
    # Of few labels, too, there is something to learn.
    assert chosen_label("motion", some) == "motion"
    assert chosen_label(None, [record("a", **{"class": "run"}), record("b")]) == "class"
    with pytest.raises(ValueError, match="'sprite' is unknown"):
        chosen_label("sprite", some)


def test_finetune_leaves_out_what_has_no_label():
    videos = [
        record(name, **{"class": "run"} if name in "ac" else {}) for name in "abc"
    ]
    manifest, said = Manifest("/", list(videos)), []
    assert leave_out_unlabelled(manifest, "class", videos, said.append)
    assert said == ["class: 1 of 3 videos lacks it (b); left out"]
    assert [r.video_id for r in manifest.records] == ["a", "c"]
    assert not leave_out_unlabelled(manifest, "class", manifest.records, said.append)
    assert len(said) == 1


def test_classes_that_cannot_be_found_are_told(capsys):
    train = [record("a", motion="up"), record("b", motion="down")]
    tell_unknown(train, [record("c", motion="left"), record("d", motion="up")], print)
    assert "motion: 1 of 2 test videos have a class" in capsys.readouterr().out
    tell_unknown(train, train, print)
    assert capsys.readouterr().out == ""


def test_what_was_cut_short_is_listed_beside_the_rejects(tmp_path):
    videos = tmp_path / "videos"
    cut(write_ramp(videos / "half.mkv", codec="mpeg4"), 0.5)
    run = tmp_path / "run"
    reject_writer(scan_folder(videos), run / "rejects.jsonl", print)
    (line,) = (run / "cut_short.jsonl").read_text().splitlines()
    assert json.loads(line)["path"] == "half.mkv"
    shutil.copy(write_ramp(tmp_path / "whole.mkv"), videos / "half.mkv")
    reject_writer(scan_folder(videos), run / "rejects.jsonl", print)
    assert not (run / "cut_short.jsonl").exists()
    reject_writer(scan_folder(videos), run / "solo_rejects.jsonl", print)


def test_a_model_of_sound_has_no_clips_to_embed():
    with pytest.raises(ValueError, match="finds what sounds"):
        clip_arguments({"clip": {"duration": 1.0, "sample_rate": 16000, "size": 96}})


def test_two_bad_videos_at_once_are_both_listed(tmp_path):
    records = [VideoRecord(f"/{i}.mp4", f"{i}.mp4") for i in range(40)]
    path, said = tmp_path / "rejects.jsonl", []
    manifest = Manifest(str(tmp_path), records)
    on_reject = reject_writer(manifest, path, said.append)
    source = ClipSource(records, RandomClips(1, 2, 1), on_reject=on_reject)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda r: source._reject(r, f"{r.video_id}: bad"), records))
    listed = [json.loads(line)["path"] for line in path.read_text().splitlines()]
    assert sorted(listed) == sorted(r.video_id for r in records)
    assert len(said) == 40


def test_results_of_a_classifier_are_in_its_report(tmp_path):
    (tmp_path / "history.csv").write_text("step,loss\n10,1.0\n")
    args = argparse.Namespace(control=None, out=None)
    results = {"retrieval": {}, "probe": {"class": {"knn": 0.5}}}

    class VideoClassifier:
        pass

    write_results(args, VideoClassifier(), tmp_path, results)
    (model,) = read_run(tmp_path).models
    assert model.scores == results and model.title == "VideoClassifier"


@pytest.mark.parametrize("crops", [1, 3])
def test_controls_and_crops_are_also_of_videos_without_labels(crops, tmp_path):
    for number in range(3):
        write_ramp(tmp_path / f"{number}.mp4", count=8, width=96)
    seen = []

    class Representation:
        def predict_on_batch(self, clips):
            seen.append(clips)
            return clips.mean(axis=(1, 2, 3))

    clip = {"num_frames": 4, "stride": 1, "size": 16}
    records = scan_folder(tmp_path).records
    options = {"crops": crops, "control": "single_frame", "seed": 0}
    own_video_retrieval(Representation(), records, clip, **options)
    assert [len(clips) for clips in seen] == [2 * crops] * 3
    assert all(np.ptp(clips, axis=1).max() == 0 for clips in seen)


def test_a_run_keeps_to_its_tested_videos_in_its_own_folder_only(tmp_path):
    run, videos = tmp_path / "run", tmp_path / "videos"
    args = argparse.Namespace(run=str(run), folder=str(videos))
    assert not is_of_training(args)
    write_json(run / "run.json", {"folder": str(videos)})
    assert is_of_training(args)
    args.folder = str(tmp_path / "others")
    assert not is_of_training(args)
