"""From two folders of real videos to maps: pretrain, localize, evaluate, export."""

import json

import numpy as np
import pytest

from keras_avrep.cli.main import main
from keras_avrep.data import probe, write_video
from keras_avrep.models import CSOL, InterferenceEraser
from keras_avrep.worlds import OrchestraWorld, render_world

SCHEDULE = ("--solo-epochs", "2", "--mixed-epochs", "1", "--batch-size", "4")


def run(*arguments):
    return main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("instruments")
    counts = {"solo": {"train": 8, "test": 2}, "duet": {"train": 4, "test": 2}}
    for kind, count in counts.items():
        world = OrchestraWorld(kind, num_classes=3, size=96)
        render_world(world, root / kind, count)
    black = np.zeros((4, 64, 64, 3), np.uint8)
    write_video(root / "solo" / "silent.mp4", black, 4)
    return root


@pytest.fixture(scope="module")
def trained(folders):
    out = folders / "run"
    run(
        "pretrain", folders / "solo", "--mixed", folders / "duet", "--model", "csol",
        "--num-classes", 3, "--out", out, *SCHEDULE,
    )  # fmt: skip
    return out


def test_a_run_leaves_what_the_other_commands_need(trained):
    clip = json.loads((trained / "preset" / "clip.json").read_text())
    assert clip["size"] == 96
    named = {name for name in clip["cluster_names"] if name}
    assert named and named <= {"accordion", "acoustic_guitar", "cello"}
    summary = json.loads((trained / "summary.json").read_text())
    assert summary["model"] == "csol"
    # Two passes of two batches, clusters with two more, and mixtures.
    assert summary["train"]["steps"] == 2 * 2 + 2 * 2 + 1
    rejects = (trained / "rejects.jsonl").read_text()
    assert "silent.mp4" in rejects


def test_the_same_command_has_nothing_left_to_do(trained, folders, capsys):
    before = json.loads((trained / "training.json").read_text())
    assert before["seconds"] > 0
    run(
        "pretrain", folders / "solo", "--mixed", folders / "duet", "--model", "csol",
        "--num-classes", 3, "--out", trained, *SCHEDULE,
    )  # fmt: skip
    assert "resumed at step 9 of 9" in capsys.readouterr().out
    # Its figures are those of the training, not of looking at it.
    assert json.loads((trained / "training.json").read_text()) == before


def test_solos_are_found_by_the_model_of_before_the_classes(trained, folders, tmp_path):
    out = tmp_path / "scores.json"
    assert run("evaluate", trained / "solo", folders / "solo", "--out", out) == 0
    assert "solo" in json.loads(out.read_text())["localisation"]
    solo = CSOL.from_preset(str(trained / "solo" / "preset"))
    last = CSOL.from_preset(str(trained / "preset"))
    pairs = zip(solo.get_weights(), last.get_weights(), strict=True)
    assert any(not np.array_equal(a, b) for a, b in pairs)


def test_stage_two_can_begin_from_another_run(trained, folders, tmp_path, capsys):
    command = ["pretrain", folders / "solo", "--model", "csol", "--out", tmp_path / "a"]
    two = ["--solo-epochs", 0, "--mixed-epochs", 1, "--batch-size", 4]
    assert run(*command, *two, "--mixed", folders / "duet") == 2
    assert "--init" in capsys.readouterr().err
    two += ["--init", trained, "--mixed", folders / "duet"]
    assert run(*command, *two) == 0
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert summary["train"]["steps"] == 1
    model = CSOL.from_preset(str(tmp_path / "a" / "preset"))
    before = CSOL.from_preset(str(trained / "preset"))
    assert model.num_classes == 3
    # The dictionary of stage one stays.
    rows = (m.dictionary.prototypes.numpy() for m in (model, before))
    np.testing.assert_array_equal(*rows)
    other = ["pretrain", folders / "solo", "--model", "ier", "--out", tmp_path / "b"]
    assert run(*other, *two) == 2
    assert "holds CSOL, not InterferenceEraser" in capsys.readouterr().err


def test_a_video_is_drawn_into(trained, folders, tmp_path):
    video = folders / "duet" / "test" / "00000.mp4"
    out = tmp_path / "sounding.mp4"
    run("localize", "--preset", trained, "--video", video, "--out", out)
    assert probe(out).has_audio
    with np.load(out.with_suffix(".npz")) as maps:
        assert maps["class_maps"].shape == (4, 48, 48, 3)
    assert len(json.loads(out.with_suffix(".json").read_text())["frames"]) == 4


def test_a_wide_video_is_seen_in_its_proportion(trained, tmp_path):
    video, out = tmp_path / "wide.mp4", tmp_path / "drawn.mp4"
    frames = np.random.default_rng(0).integers(0, 255, (4, 90, 160, 3), "uint8")
    write_video(video, frames, 4, audio=np.zeros(16000, "float32"))
    run("localize", "--preset", trained, "--video", video, "--out", out)
    with np.load(out.with_suffix(".npz")) as maps:
        height, width = maps["sounding_maps"].shape[1:]
    assert (height, width) == (48, 88)  # 96 x 176, in cells of 8, four times finer
    record = probe(out)
    assert (record.width, record.height) == (160, 90)


def test_maps_are_scored_beside_floors(trained, folders):
    run("evaluate", trained, folders / "duet", "--solo", folders / "solo")
    scores = json.loads((trained / "evaluation.json").read_text())["localisation"]
    assert {"model", "floors", "shuffled"} <= scores["mixtures"].keys()


def test_it_is_exported_with_two_inputs(trained, folders, tmp_path, capsys):
    command = ["export", trained, folders / "duet", "--out", tmp_path]
    part = ["--parts", "localiser_log_mel"]
    run(*command, "--formats", "litert", "--name", "sounds", *part)
    assert (tmp_path / "sounds.tflite").is_file()
    assert (tmp_path / "sounds_localiser_log_mel.tflite").is_file()
    rows = json.loads((trained / "summary.json").read_text())["export"]
    for row in rows:
        assert row["format"] == "litert" and row["max_abs_diff"] < 1e-4
    assert len(rows) == 2
    assert run(*command, "--parts", "representation") == 2
    assert "this model has localiser_log_mel" in capsys.readouterr().err
    assert run(*command, "--formats", "onnx")
    assert "onnx is not for localisers" in capsys.readouterr().err


@pytest.mark.traced
def test_the_interference_eraser_goes_the_same_way(trained, folders, tmp_path, capsys):
    out, mixed = tmp_path / "run", tmp_path / "duets.json"
    run("scan", folders / "duet", "--out", mixed)
    run(
        "pretrain", folders / "solo", "--mixed", mixed, "--model", "ier",
        "--use-labels", "--out", out, "--backbone", trained, *SCHEDULE,
        "--set", "order=figure", "--set", "schedule.range_db=20",
        "--loss-weights", "distillation=0.5",
    )  # fmt: skip
    kept = json.loads((out / "run.json").read_text())
    assert kept["set"] == {"order": "figure"}
    assert kept["schedule"]["range_db"] == 20
    model = InterferenceEraser.from_preset(str(out / "preset"))
    assert model.switches["order"] == "figure"
    assert model.loss_weights["distillation"] == 0.5
    clip = json.loads((out / "preset" / "clip.json").read_text())
    # One for each class of the videos that it learned from.
    assert clip["cluster_names"] == ["accordion", "cello"]
    assert "any videos: steps" in capsys.readouterr().out
    drawn = tmp_path / "sounding.mp4"
    video = folders / "duet" / "test" / "00000.mp4"
    run("localize", "--preset", out, "--video", video, "--out", drawn)
    frames = json.loads(drawn.with_suffix(".json").read_text())["frames"]
    assert all("heard" in frame for frame in frames)
    files = tmp_path / "files"
    formats = ["saved_model", "litert"]
    run("export", out, folders / "duet", "--formats", *formats, "--out", files)
    rows = json.loads((out / "summary.json").read_text())["export"]
    assert [row["format"] for row in rows] == formats
    assert max(row["max_abs_diff"] for row in rows) < 1e-4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--steps", "5"], "--steps is not for CSOL"),
        (["--num-classes", "99"], "99 classes need as many"),
        (
            [*("--solo-epochs", "0", "--init", "x", "--mixed", "y"), "--use-labels"],
            "the classes are those of --init",
        ),
        (["--set", "gates=off"], "CSOL has no such argument; there are"),
        (["--set", "schedule.solo_epochs=3"], "use --solo-epochs"),
        (["--set", "gate=off", "--init", "x"], "--init brings its own arguments"),
        (["--num-classes", "9", "--use-labels"], "has 2 classes, --num-classes is 9"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    arguments, said, folders, tmp_path, capsys
):
    failed = run(
            "pretrain", folders / "solo", "--model", "csol",
            "--out", tmp_path, *arguments,
        )  # fmt: skip
    assert failed
    assert said in capsys.readouterr().err


def test_two_folders_are_for_localisers_only(folders, tmp_path, capsys):
    failed = run(
        "pretrain", folders / "solo", "--mixed", folders / "duet", "--out", tmp_path
    )
    assert failed
    assert "--mixed is not for DCLR" in capsys.readouterr().err
