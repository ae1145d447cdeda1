"""Localisers learn from folders that are cut into moments, as published."""

import json

import pytest
from moment_trees import write_cut_video
from reader_results import write

from keras_avrep.cli.main import main
from keras_avrep.worlds import OrchestraWorld, render_mixtures

SCHEDULE = ("--solo-epochs", "1", "--mixed-epochs", "1", "--batch-size", "4")


def run(*arguments):
    return main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def mixtures(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixtures")
    for kind, split in (("solo", "pretrain"), ("duet", "train")):
        world = OrchestraWorld(kind, num_classes=3, size=96)
        render_mixtures(world, root / kind, {split: 5, "test": 2})
    return root


def test_csol_learns_from_rendered_mixtures_and_is_evaluated(mixtures, capsys):
    out = mixtures / "run"
    # A picture that turns out to be damaged is listed, and its place taken.
    damaged = mixtures / "solo/pretrain/frame/00000.jpg"
    damaged.write_text("no picture")
    command = [
        "pretrain", mixtures / "solo", "--mixed", mixtures / "duet", "--model", "csol",
        "--num-classes", 3, "--out", out, *SCHEDULE,
    ]  # fmt: skip
    assert run(*command) == 0
    assert "7 videos in 7 moments" in capsys.readouterr().out
    summary = json.loads((out / "summary.json").read_text())
    assert summary["data"]["videos"] == summary["mixed"]["videos"] == 7
    # A pass of a batch, two with its clusters, and one of mixtures.
    assert summary["train"]["steps"] == 1 + 2 + 1
    rejects = [
        json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()
    ]
    assert [r["path"] for r in rejects] == ["pretrain/00000"]
    names = json.loads((out / "preset/clip.json").read_text())["cluster_names"]
    world = OrchestraWorld("solo", num_classes=3, size=96)
    assert {name for name in names if name} <= set(world.classes)
    assert any(names)
    assert run("evaluate", out, mixtures / "duet", "--solo", mixtures / "solo") == 0
    found = json.loads((out / "evaluation.json").read_text())["localisation"]
    assert found["mixtures"]["moments"] == 2
    files = mixtures / "files"
    export = ["export", out, mixtures / "duet", "--formats", "litert", "--out", files]
    assert run(*export) == 0
    (row,) = json.loads((out / "summary.json").read_text())["export"]
    assert row["max_abs_diff"] < 1e-4


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    root = tmp_path_factory.mktemp("MUSIC")
    names = [f"{letter * 11}" for letter in "abcd"]
    for kind in ("solo", "duet"):
        for name in names:
            write_cut_video(root / kind, f"{name}_0_1000", seconds=2, waves=True)
    labels = {"cello": names[:2], "flute": names[2:]}
    write(root / "MUSIC_solo_videos.json", json.dumps({"videos": labels}))
    return root


def test_csol_learns_from_music_cut_into_seconds(music, capsys):
    out, solos = music / "run", music / "solos.json"
    assert run("scan", music / "solo", "--layout", "music", "--out", solos) == 0
    # One folder by its manifest, as `scan` writes it by the published lists.
    command = [
        "pretrain", solos, "--mixed", music / "duet", "--model", "csol",
        "--num-classes", 2, "--out", out, *SCHEDULE,
    ]  # fmt: skip
    assert run(*command) == 0
    assert "4 videos in 8 moments, 8 seconds" in capsys.readouterr().out
    names = json.loads((out / "preset/clip.json").read_text())["cluster_names"]
    found = {name for name in names if name}
    assert found and found <= {"cello", "flute"}


def test_too_few_videos_are_told_whatever_they_are_cut_into(music, tmp_path, capsys):
    for name in "ab":
        write_cut_video(tmp_path / "few", f"{name * 11}_0_1000", seconds=4, waves=True)
    command = ["pretrain", music / "solo", "--model", "csol", "--num-classes", 2]
    assert run(*command, "--mixed", tmp_path / "few", "--out", tmp_path / "run")
    assert "--mixed has 2 usable videos" in capsys.readouterr().err


def test_spectrograms_are_told_to_be_none_to_learn_from(tmp_path, capsys):
    for name in "abcd":
        write_cut_video(tmp_path / "solo", f"{name * 11}_0_1000", seconds=1)
    command = ["pretrain", tmp_path / "solo", "--model", "csol", "--num-classes", 2]
    assert run(*command, "--out", tmp_path / "run", *SCHEDULE) == 2
    assert "cut the dataset again with waveforms" in capsys.readouterr().err
