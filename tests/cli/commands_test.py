"""The command line on real files, as its users call it."""

import csv
import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_avrep import export, models
from keras_avrep.cli import demo
from keras_avrep.cli.doctor import gpu_advice, has_nvidia_driver
from keras_avrep.cli.export import calibration_clips, divide
from keras_avrep.cli.finetune import chosen_recipe
from keras_avrep.cli.main import COMMANDS, build_parser, main
from keras_avrep.cli.run_folder import CLIP_FILE, write_json
from keras_avrep.data import scan_folder
from keras_avrep.export import FORMATS
from keras_avrep.models import DCLR, VideoClassifier
from keras_avrep.training.callbacks import read_history

TRAINING = ["--steps", "2", "--batch-size", "4", "--num-frames", "2", "--stride", "1"]
TRAINING += ["--size", "20", "--view-size", "16", "--precision", "float32"]


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    arguments = ["--pretrain", "8", "--train", "8", "--test", "6"]
    arguments += ["--size", "24", "--num-frames", "6"]
    assert main(["render", str(folder), *arguments]) == 0
    (folder / "train" / "broken.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def trained(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    run = ["pretrain", str(videos), "--out", str(out), *TRAINING]
    assert main([*run, "--probe-every", "2"]) == 0
    return out


@pytest.fixture(scope="module")
def classifier(trained, videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("classifier")
    run = ["finetune", str(trained), str(videos), "--out", str(out), "--linear"]
    run += ["--label", "sprite", "--epochs", "1", "--clips-per-epoch", "1"]
    assert main([*run, "--batch-size", "4"]) == 0
    return out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"keras-avrep {command}" in capsys.readouterr().out


def test_wrong_arguments_are_one_sentence(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["pretrain"])
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["scan", str(tmp_path / "nowhere")]) == 2
    error = capsys.readouterr().err
    assert "nowhere" in error
    assert len(error.strip().splitlines()) == 1
    with pytest.raises(ValueError, match="nowhere"):
        main(["scan", str(tmp_path / "nowhere"), "--traceback"])


def test_render_annotates_boxes_on_request(tmp_path):
    counts = ["--pretrain", "0", "--train", "1", "--test", "0"]
    run = ["render", *counts, "--size", "24", "--num-frames", "3"]
    for name, more, sprites in (("a", ["--boxes"], 1), ("b", ["--sprites", "2"], 2)):
        assert main([*run, *more, str(tmp_path / name)]) == 0
        line = json.loads((tmp_path / name / "annotations.jsonl").read_text())
        assert np.shape(line["boxes"]) == (sprites, 3, 4)


def test_render_draws_an_orchestra(tmp_path, capsys):
    folder = tmp_path / "duets"
    counts = ["--pretrain", "0", "--train", "0", "--test", "1"]
    run = ["render", str(folder), *counts, "--world", "orchestra", "--kind", "duet"]
    assert main([*run, "--size", "48"]) == 0
    line = json.loads((folder / "annotations.jsonl").read_text())
    assert len(line["sources"]) == 2
    record = scan_folder(folder).records[0]
    assert record.has_audio and record.height == 48
    mixed = tmp_path / "mixtures"
    assert main(["render", str(mixed), *counts, *run[-4:], "--mixtures"]) == 0
    assert (mixed / "test/stems/00000.npz").exists()
    published = tmp_path / "published"
    run_published = ["render", str(published), *counts, *run[-4:], "--size", "48"]
    assert main([*run_published, "--csol-mixtures"]) == 0
    assert (published / "test1/box/00000.npy").exists()
    assert main([*run_published, "--csol-mixtures", "--stems"]) == 2
    assert "--stems does not go with --csol-mixtures" in capsys.readouterr().err
    assert main([*run, "--sprites", "2"]) == 2
    assert "--sprites does not belong to the world orchestra" in capsys.readouterr().err
    assert main(["render", str(folder), "--kind", "solo"]) == 2


def test_render_takes_every_option_of_the_worlds(tmp_path, capsys):
    counts = ["--pretrain", "1", "--train", "0", "--test", "1"]
    phases = tmp_path / "phases"
    run = ["render", str(phases), *counts, "--size", "24", "--num-frames", "6"]
    run += ["--phases", "2", "--pretrain-phases", "--motions", "left", "expand"]
    assert main(run) == 0
    lines = (phases / "annotations.jsonl").read_text().splitlines()
    motions = json.loads(lines[1])["labels"]["motion"].split(">")
    assert sorted(motions) == ["expand", "left"]
    wild = tmp_path / "wild"
    run = ["render", str(wild), *counts, "--size", "32", "--world", "orchestra"]
    run += ["--kind", "unconstrained", "--off-screen", "1", "1", "--look-alike", "0.5"]
    run += ["--sound-alike", "0.5", "--gain-range-db", "6", "--num-classes", "8"]
    run += ["--noise-db", "-20", "-20", "--pulse", "0.2", "--wav", "--stems"]
    assert main(run) == 0
    lines = (wild / "annotations.jsonl").read_text().splitlines()
    truth = json.loads(lines[1])
    assert sum(not source["on_screen"] for source in truth["sources"]) == 1
    assert truth["noise_db"] == -20
    gains = [s["gain_db"] for s in truth["sources"] if s["sounding"]]
    assert min(gains) >= -6
    assert sorted(p.suffix for p in (wild / "test").iterdir()) == [
        ".mp4",
        ".npz",
        ".wav",
    ]
    clean = [str(tmp_path / "clean") if x == str(wild) else x for x in run]
    assert main([*clean, "--clean"]) == 0
    lines = (tmp_path / "clean" / "annotations.jsonl").read_text().splitlines()
    assert all(s["on_screen"] for s in json.loads(lines[1])["sources"])
    assert main([*run[:-2], "--pictures", "a", "--recordings", "b"]) == 2
    assert "`pulse` is for drawn instruments" in capsys.readouterr().err


def test_scan_lists_what_was_left_out(videos, tmp_path, capsys):
    manifest, rejects = tmp_path / "m.json", tmp_path / "r.jsonl"
    arguments = ["scan", str(videos), "--out", str(manifest), "--rejects", str(rejects)]
    assert main(arguments) == 0
    assert "train/broken.mp4" in capsys.readouterr().out
    assert len(json.loads(manifest.read_text())["records"]) == 22
    assert json.loads(rejects.read_text())["path"] == "train/broken.mp4"


def test_pretrain_leaves_a_model_history_and_rejects(trained, capsys):
    assert (trained / "history.csv").exists()
    assert "broken.mp4" in (trained / "rejects.jsonl").read_text()
    model = DCLR.from_preset(str(trained / "preset"))
    assert model.predict(np.zeros((1, 2, 16, 16, 3)), verbose=0).shape == (1, 96)


def test_an_unknown_model_or_preset_is_one_sentence(videos, tmp_path, capsys):
    run = ["pretrain", str(videos), "--out", str(tmp_path)]
    assert main([*run, "--model", "nothing"]) == 2
    assert "DCLR" in capsys.readouterr().err
    assert main([*run, "--preset", "nothing"]) == 2
    assert "dclr_tiny" in capsys.readouterr().err


def test_the_probe_has_run_while_training(trained):
    (row,) = read_history(trained / "probe.csv")
    assert row["step"] == 2 and 0 <= row["motion"] <= 1


def test_a_preset_has_nothing_of_the_optimiser(trained):
    with h5py.File(trained / "preset" / "task.weights.h5") as file:
        assert "momentum_encoder" in file and "optimizer" not in file


def test_pretraining_again_does_nothing_and_other_arguments_are_refused(
    trained, videos, capsys
):
    run = ["pretrain", str(videos), "--out", str(trained), *TRAINING]
    before = json.loads((trained / "training.json").read_text())
    assert before["clips_per_second"] > 0
    assert main(run) == 0
    assert "resumed at step 2 of 2" in capsys.readouterr().out
    # Its figures are those of the training, not of looking at it.
    assert json.loads((trained / "training.json").read_text()) == before
    assert main([*run, "--seed", "5"]) == 2
    assert "seed" in capsys.readouterr().err


def test_evaluate_and_its_controls(trained, videos, capsys):
    run = ["evaluate", str(trained), str(videos), "--num-clips", "2"]
    assert main([*run, "--solo", str(videos)]) == 2
    assert "--solo is for localisers" in capsys.readouterr().err
    assert main(run) == 0
    results = json.loads((trained / "evaluation.json").read_text())
    assert set(results["probe"]) == {"motion", "scene", "sprite"}
    assert set(results["probe"]["motion"]) == {"linear", "knn", "chance"}
    assert "r_at_5" in results["retrieval"]["motion"]
    assert main([*run, "--control", "shuffled"]) == 0
    assert (trained / "evaluation_shuffled.json").exists()
    cropped = [*run, "--crops", "3", "--out", str(trained / "cropped.json")]
    assert main(cropped) == 0
    assert json.loads((trained / "cropped.json").read_text())["crops"] == 3
    assert main(["report", str(trained)]) == 0
    page = (trained / "report.html").read_text()
    for section in ("results", "gallery", "maps", "training"):
        assert f'<section id="{section}">' in page, section


def test_a_preset_directory_is_evaluated_like_its_run(trained, videos, tmp_path):
    out = tmp_path / "e.json"
    run = ["evaluate", str(trained / "preset"), str(videos), "--num-clips", "1"]
    assert main([*run, "--out", str(out)]) == 0
    assert set(json.loads(out.read_text())["probe"]) == {"motion", "scene", "sprite"}


def test_a_bare_backbone_can_be_evaluated(videos, tmp_path):
    from keras_avrep.backbones import ResNet3DBackbone

    backbone = ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    backbone.save_to_preset(str(tmp_path))
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    write_json(tmp_path / CLIP_FILE, clip)
    out = tmp_path / "e.json"
    run = ["evaluate", str(tmp_path), str(videos), "--num-clips", "1"]
    assert main([*run, "--out", str(out)]) == 0


def test_embed_writes_npz_and_parquet(trained, videos, tmp_path):
    import pyarrow.parquet

    for name in ("f.npz", "f.parquet"):
        out = tmp_path / name
        run = ["embed", str(trained), str(videos), "--out", str(out)]
        assert main([*run, "--num-clips", "1"]) == 0
    with np.load(tmp_path / "f.npz") as content:
        assert content["feature"].shape == (22, 96)
        names = content["path"].tolist()
    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.column("path").to_pylist() == names
    names = ["f.npz", "f.parquet", "f_rejects.jsonl"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    reject = json.loads((tmp_path / "f_rejects.jsonl").read_text())
    assert reject["path"] == "train/broken.mp4" and reject["reason"]
    assert main(["embed", str(trained), str(videos), "--out", "f.csv"]) == 2
    # Crops are another run, not the rest of the one before.
    out = tmp_path / "f.npz"
    run = ["embed", str(trained), str(videos), "--out", str(out), "--num-clips", "1"]
    with np.load(out) as content:
        before = content["feature"]
    assert main([*run, "--crops", "3"]) == 0
    with np.load(out) as content:
        assert content["feature"].shape == before.shape
        # The world's videos are square: three crops are one.
        np.testing.assert_allclose(content["feature"], before, atol=1e-4)
    assert main([*run, "--crops", "10"]) == 0
    with np.load(out) as content:
        assert np.abs(content["feature"] - before).max() > 0.01


def test_finetune_trains_and_saves_a_classifier(classifier, trained, videos, tmp_path):
    result = json.loads((classifier / "classifier.json").read_text())
    assert result["label"] == "sprite"
    assert 0 <= result["accuracy"] <= 1
    assert (classifier / "preset" / "config.json").exists()
    # The note's linear probe; the tiny presets learn directions, so no flip.
    config = json.loads((classifier / "run.json").read_text())
    assert (config["learning_rate"], config["flip"]) == (5.0, 0.0)
    assert VideoClassifier.from_preset(str(classifier / "preset")).unit_features
    run = ["finetune", str(trained), str(videos), "--out", str(tmp_path)]
    assert main([*run, "--label", "weather"]) == 2


def test_a_classifier_names_the_classes_of_videos(
    classifier, trained, videos, tmp_path, capsys
):
    # As a preset it knows its class names too, wherever it is moved.
    preset = tmp_path / "moved"
    shutil.copytree(classifier / "preset", preset)
    tables = []
    for run in (classifier, preset):
        out = tmp_path / f"{run.name}.csv"
        arguments = ["classify", str(run), str(videos), "--out", str(out)]
        assert main([*arguments, "--num-clips", "2"]) == 0
        assert "left out: train/broken.mp4" in capsys.readouterr().out
        assert "broken" in (tmp_path / f"{run.name}_rejects.jsonl").read_text()
        with open(out, newline="", encoding="utf-8") as file:
            tables.append(list(csv.DictReader(file)))
    assert tables[0] == tables[1]
    assert len(tables[0]) == 22
    classes = json.loads((classifier / "classifier.json").read_text())["classes"]
    assert list(tables[0][0]) == ["path", "class", "probability"]
    for row in tables[0]:
        assert (videos / row["path"]).exists()
        assert row["class"] in classes
        assert 1 / len(classes) <= float(row["probability"]) + 1e-4 <= 1.0002
    out = str(tmp_path / "x.csv")
    assert main(["classify", str(trained), str(videos), "--out", out]) == 2
    assert "is no classifier" in capsys.readouterr().err
    assert main(["classify", str(classifier), str(videos), "--out", "x.txt"]) == 2
    assert "must end in .csv" in capsys.readouterr().err


def test_export_ships_a_classifier_with_its_class_names(classifier, videos, tmp_path):
    from keras_avrep.export import run_litert

    run = ["export", str(classifier), str(videos), "--out", str(tmp_path)]
    run += ["--name", "sprites", "--formats", "saved_model", "litert"]
    assert main([*run, "--parts", "representation", "--version", "3"]) == 0
    for name in ("sprites", "sprites_representation"):
        assert [p.name for p in (tmp_path / name).iterdir()] == ["3"]
    rows = json.loads((tmp_path / "export.json").read_text())
    assert all(row["class_agreement"] == 1.0 for row in rows)
    names = (tmp_path / "sprites_labels.txt").read_text().splitlines()
    assert names == json.loads((classifier / "classifier.json").read_text())["classes"]
    clip = np.zeros((1, 2, 16, 16, 3), "uint8")
    logits, _ = run_litert(tmp_path / "sprites.tflite", clip)
    assert logits.shape == (1, len(names))
    features, _ = run_litert(tmp_path / "sprites_representation.tflite", clip)
    assert features.shape == (1, 96)
    assert "gives `logits`" in (tmp_path / "README.md").read_text()


def test_a_bare_backbone_is_exported_as_its_representation(videos, tmp_path):
    from keras_avrep.backbones import VideoResNetBackbone

    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    backbone.save_to_preset(str(tmp_path / "backbone"))
    clip = {"num_frames": 2, "stride": 1, "size": 20, "view_size": 16}
    write_json(tmp_path / "backbone" / CLIP_FILE, clip)
    run = ["export", str(tmp_path / "backbone"), str(videos), "--formats", "litert"]
    assert main([*run, "--out", str(tmp_path / "out")]) == 0
    (row,) = json.loads((tmp_path / "out" / "export.json").read_text())
    assert "retrieval_agreement" in row
    assert not list((tmp_path / "out").glob("*labels.txt"))


def test_export_fails_above_the_tolerance_in_one_sentence(
    trained, videos, tmp_path, capsys
):
    summary = (trained / "summary.json").read_text()
    run = ["export", str(trained), str(videos), "--out", str(tmp_path)]
    # Even files that are equal to the bit differ by more.
    assert main([*run, "--formats", "litert", "--tolerance", "-1"]) == 2
    streams = capsys.readouterr()
    assert "everything is in" not in streams.out
    (sentence,) = streams.err.strip().splitlines()
    assert "litert export differs from Keras by" in sentence
    assert "above the tolerance -1" in sentence
    assert (tmp_path / "dclr.tflite").exists()
    assert not (tmp_path / "export.json").exists()
    assert (trained / "summary.json").read_text() == summary


def test_export_tells_how_often_int8_finds_the_same_neighbour(
    trained, videos, tmp_path, capsys
):
    run = ["export", str(trained), str(videos), "--out", str(tmp_path)]
    assert main([*run, "--formats", "litert_int8"]) == 0
    (row,) = json.loads((tmp_path / "export.json").read_text())
    assert row["format"] == "litert_int8"
    assert 0 <= row["retrieval_agreement"] <= 1
    # Of the 6 test videos, each asks for its neighbour.
    assert (6 * row["retrieval_agreement"]).is_integer()
    told = f"same neighbour {row['retrieval_agreement']:.0%}"
    assert told in capsys.readouterr().out
    assert json.loads((trained / "summary.json").read_text())["export"] == [row]


def test_export_compares_on_the_test_split_and_calibrates_on_the_other(
    videos, tmp_path
):
    compared, calibrating = divide(scan_folder(videos))
    assert {r.split for r in compared} == {"test"}
    assert {r.split for r in calibrating} == {"train"}
    # Without splits the videos are divided; one alone is compared only.
    compared, calibrating = divide(scan_folder(videos / "pretrain"))
    assert (len(compared), len(calibrating)) == (2, 6)
    (tmp_path / "a.mp4").write_bytes((videos / "test/00000.mp4").read_bytes())
    compared, calibrating = divide(scan_folder(tmp_path))
    assert (len(compared), len(calibrating)) == (1, 0)
    clip = {"num_frames": 2, "stride": 1, "size": 16}
    assert calibration_clips([], clip, FORMATS) is None
    assert calibration_clips(compared, clip, ["litert"]) is None
    assert calibration_clips(compared, clip, FORMATS).shape == (1, 2, 16, 16, 3)


def test_doctor_tells_a_missing_gpu_from_one_that_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if not has_nvidia_driver():
        assert "no driver" in gpu_advice("tensorflow")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert "keras-avrep[cuda]" in gpu_advice("tensorflow")
    assert "install torch with CUDA" in gpu_advice("torch")


def test_presets_and_doctor(capsys):
    assert main(["presets"]) == 0
    assert "dclr_tiny" in capsys.readouterr().out
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "precision" in text
    assert "keras" in text


def test_presets_tell_which_have_weights(capsys):
    assert main(["presets"]) == 0
    lines = re.findall(r"^  (\w+) \((.+)\)$", capsys.readouterr().out, re.M)
    kinds = dict(lines)
    assert len(kinds) == len(lines)
    assert kinds["teg_tiny_scenes"] == "weights"
    assert kinds["dclr_tiny"] == "configuration only"
    folders = {p.name: p for p in Path(models.__path__[0]).glob("*/presets/*/")}
    assert folders.keys() <= kinds.keys()
    for name, kind in kinds.items():
        files = {p.name for p in folders[name].iterdir()} if name in folders else set()
        expected = "configuration only"
        if "model.weights.h5" in files:
            expected = "weights of the backbone alone"
        if "task.weights.h5" in files:
            expected = "weights"
        assert kind == expected, name


def test_prepare_then_scan(videos, tmp_path, capsys):
    assert main(["prepare", str(videos), "--out", str(tmp_path), "--size", "16"]) == 0
    assert "broken" in (tmp_path / "rejects.jsonl").read_text()
    found = len(scan_folder(videos).records)
    capsys.readouterr()
    assert main(["scan", str(tmp_path)]) == 0
    assert f"{found} videos" in capsys.readouterr().out


def check_summary(summary, out):
    """All that is promised of a demo of 8 videos without labels."""
    assert summary["data"]["videos"] == 8
    assert summary["data"]["seconds"] == pytest.approx(8 * 0.5)
    assert summary["data"]["labels"] == {}
    for name in ("dclr", "baseline"):
        training = summary["train"][name]
        assert training["steps"] == 2
        assert training["clips_per_second"] > 0
        assert 0 <= training["data_wait_fraction"] <= 1
        assert np.isfinite(list(training["losses"].values())).all()
        # By label, here the video itself, and once more flat; of 2 test videos no
        # query has 5 neighbours.
        retrieval = summary[name]["retrieval"]
        assert set(retrieval) == {"r_at_1", "video"}
        assert retrieval["video"] == {"r_at_1": retrieval["r_at_1"]}
        assert 0 <= retrieval["r_at_1"] <= 1
        assert summary[name]["probe"] == {}
    terms = {"vv", "vs", "sv", "vd", "dv", "activation"}
    for name, expected in (("dclr", terms), ("baseline", {"vv"})):
        losses = {"loss", *(f"loss_{term}" for term in expected)}
        assert set(summary["train"][name]["losses"]) == losses
    # The system's own training once more, flat.
    assert summary["train"].items() >= summary["train"]["dclr"].items()
    rows = {row["format"]: row for row in summary["export"]}
    assert list(rows) == list(FORMATS)
    for row in rows.values():
        path = out / "export" / row["path"]
        files = [path] if path.is_file() else path.rglob("*")
        sizes = [file.stat().st_size for file in files if file.is_file()]
        assert row["bytes"] == sum(sizes) > 0
        assert row["max_abs_diff"] >= 0 and row["latency_ms"] > 0
    assert json.loads((out / "export/export.json").read_text()) == summary["export"]
    assert summary["seed"] == 0
    assert set(summary["device"]) == {"name", "precision", "cores"}
    assert {"python", "keras-avrep", "keras", "tensorflow"} <= set(summary["versions"])
    trained = sum(summary["train"][name]["seconds"] for name in ("dclr", "baseline"))
    # Of both parts: the first had trained one of the two.
    assert summary["seconds"] > trained > 0


def test_a_labelled_demo_is_measured_by_label(trained, videos, tmp_path):
    manifest = scan_folder(videos)
    model = DCLR.from_preset(str(trained / "preset"))
    clip = json.loads((trained / "run.json").read_text())["clip"]
    splits = demo.divide(manifest, 0)
    # The gallery twice, so that 10 neighbours can be asked for.
    splits = (splits[0], 2 * splits[1], splits[2])
    args = build_parser().parse_args(["demo"])
    found = demo.evaluate_one(model, tmp_path, splits, clip, args, None, print)
    labels, recalls = {"motion", "scene", "sprite"}, {"r_at_1", "r_at_5", "r_at_10"}
    retrieval = found["retrieval"]
    assert set(retrieval) == labels | recalls
    for label in labels:
        r1, r5, r10 = (retrieval[label][f"r_at_{k}"] for k in (1, 5, 10))
        assert 0 <= r1 <= r5 <= r10 <= 1
        assert set(found["probe"][label]) == {"linear", "knn", "chance"}
        assert all(0 <= value <= 1 for value in found["probe"][label].values())
    # Flat is what tells most.
    assert {k: retrieval[k] for k in recalls} == {
        k: retrieval["motion"][k] for k in recalls
    }


def test_a_format_that_cannot_hold_the_model_costs_no_report(
    trained, videos, tmp_path, monkeypatch
):
    formats = ("litert", "litert_int8")
    monkeypatch.setattr(export, "FORMATS", formats)
    model = DCLR.from_preset(str(trained / "preset"))
    norm = model.backbone.get_layer("stage2_block1_conv1_spatial_norm")
    norm.beta.assign(np.full(norm.beta.shape, -100.0))
    clip = json.loads((trained / "run.json").read_text())["clip"]
    splits, said = demo.divide(scan_folder(videos), 0), []
    rows = demo.export_one(model, tmp_path, splits, clip, "dclr", said.append)
    assert [row["format"] for row in rows] == list(formats)
    refused = [row["format"] for row in rows if row.get("max_abs_diff") is None]
    assert refused == ["litert_int8"]
    assert "not written" in next(line for line in said if "int8" in line)
    assert json.loads((tmp_path / "export.json").read_text()) == rows


def test_demo_on_a_folder_without_labels(videos, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in (videos / "pretrain").iterdir():
        shutil.copy(path, folder)
    (folder / "broken.mp4").write_text("no video")
    manifest = tmp_path / "manifest.json"
    assert main(["scan", str(folder), "--out", str(manifest)]) == 0
    # Nobody notices before it is to be decoded.
    (folder / "00003.mp4").write_text("no video any more")
    run = ["demo", "--out", str(tmp_path / "run"), "--data", str(manifest)]
    run += ["--steps", "2", "--batch-size", "4"]

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "evaluate_one", interrupt)
        assert main(run) == 130
    assert not (tmp_path / "run/summary.json").exists()
    assert main(run) == 0
    assert "resumed at step 2 of 2" in capsys.readouterr().out
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert summary["data"]["rejected"] == 2
    rejects = (tmp_path / "run/rejects.jsonl").read_text().splitlines()
    assert [json.loads(r)["path"] for r in rejects] == ["broken.mp4", "00003.mp4"]
    check_summary(summary, tmp_path / "run")
    assert "<html" in (tmp_path / "run/report.html").read_text()[:400]
    again = ["evaluate", str(tmp_path / "run/dclr"), str(folder), "--num-clips", "1"]
    assert main(again) == 0
    assert (tmp_path / "run/dclr/evaluation.json").exists()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], {"batch_size": 64, "learning_rate": 0.1, "flip": 0.5}),
        (["--linear"], {"batch_size": 128, "learning_rate": 5.0, "flip": 0.5}),
        (
            ["--linear", "--batch-size", "8", "--flip", "0"],
            {"batch_size": 8, "learning_rate": 5.0, "flip": 0.0},
        ),
    ],
)
def test_the_recipe_of_finetuning_unless_asked_otherwise(asked, expected):
    args = build_parser().parse_args(["finetune", "r", "v", "--out", "o", *asked])
    # Of a model without views, such as a bare backbone.
    assert chosen_recipe(args, None) == expected
