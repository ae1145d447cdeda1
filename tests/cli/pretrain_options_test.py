"""What `pretrain` makes of its options, before and after a run."""

import json
import shutil

import numpy as np
import pytest

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.cli.main import build_parser, main
from keras_avrep.cli.pretrain import chosen_sampler, run_config
from keras_avrep.cli.run_folder import starting_backbone
from keras_avrep.cli.system_options import name_and_value, system_changes
from keras_avrep.cli.training_run import build_model
from keras_avrep.data import clip_dataset, scan_folder
from keras_avrep.models import CSOL, DCLR, TeG, all_systems, system_named
from keras_avrep.training import DEFAULT_RECIPE
from keras_avrep.worlds import ScenesWorld, render_world

RNG = np.random.default_rng(0)


def config(preset, *options):
    arguments = ["pretrain", "videos", "--out", "run", "--preset", preset, *options]
    args = build_parser().parse_args(arguments)
    args.steps = 100
    return run_config(args)


def test_a_run_has_the_optimiser_of_its_preset_or_of_its_options():
    assert config("dclr_tiny")["optimizer"] == DEFAULT_RECIPE
    paper = DCLR.presets["dclr_r2plus1d_ucf101"]["optimizer"]
    assert config("dclr_r2plus1d_ucf101")["optimizer"] == paper
    options = ["--learning-rate", "0.5", "--weight-decay", "0", "--optimizer", "sgd"]
    found = config("dclr_r2plus1d_ucf101", *options)["optimizer"]
    assert found == {**paper, "learning_rate": 0.5, "weight_decay": 0.0}
    # A rate that is asked for is not scaled to the batch.
    found = config("teg_both", "--learning-rate", "2")["optimizer"]
    assert found["learning_rate"] == 2 and "batch_size" not in found
    # Of another optimiser the rates of the preset say nothing.
    found = config("teg_both", "--optimizer", "adam")["optimizer"]
    assert found == DEFAULT_RECIPE


def test_arguments_of_a_system_and_its_views_are_set():
    options = ["--set", "mine_after=500", "--set", 'mine=["dynamic"]']
    options += ["--set", "views.align_static=true", "--set", "views.wrap=zero"]
    options += ["--set", "temperature=1", "--set", "queue_size=8"]
    found = config("dclr_tiny", *options)["set"]
    assert found == {
        "mine_after": 500,
        "mine": ["dynamic"],
        "temperature": 1,
        "queue_size": 8,
        "views": {"align_static": True, "wrap": "zero"},
    }
    sizes = {"num_videos": 100, "batch_size": 4, "steps": 10, "seed": 0}
    model = build_model("dclr_tiny", changes=found, view_size=16, **sizes)
    assert (model.mine_after, model.mine, model.queue_size) == (500, ["dynamic"], 8)
    assert (model.views.align_static, model.views.wrap) == (True, "zero")
    # What is not set is the preset's.
    assert (model.views.flip, model.hidden_dim) == (0.0, 128)


def test_localisers_have_a_schedule_too():
    pairs = [("gate", "minimum"), ("unit_rows", True), ("views.flip", 0.0)]
    pairs += [("schedule.negatives", 2), ("schedule.heads_only", True)]
    assert system_changes(CSOL, pairs) == {
        "gate": "minimum",
        "unit_rows": True,
        "views": {"flip": 0.0},
        "schedule": {"negatives": 2, "heads_only": True},
    }
    with pytest.raises(ValueError, match="not a whole number"):
        system_changes(CSOL, [("schedule.negatives", "many")])
    # Nor is anybody sent to an option of other systems.
    for system, name in (
        (DCLR, "schedule.negatives"),
        (DCLR, "num_classes"),
        (CSOL, "views.size"),
        (CSOL, "duration"),
    ):
        with pytest.raises(ValueError, match="no such argument"):
            system_changes(system, [(name, 2)])


@pytest.mark.parametrize("system", all_systems(), ids=lambda s: s.__name__)
def test_every_system_takes_its_own_names(system):
    with pytest.raises(ValueError, match="there are") as error:
        system_changes(system, [("nonsense", 1)])
    names = str(error.value).split("there are ")[1].rstrip(".").split(", ")
    assert "views.flip" in names
    assert not {"backbone", "views", "seed", "loss_weights", "views.size"} & {*names}
    assert not {"av_map", "num_classes", "schedule.labels", "schedule.task"} & {*names}


def test_values_are_written_as_in_json_or_python():
    for text in ("true", "True"):
        assert name_and_value(f"repulsion={text}") == ("repulsion", True)
    for text in ("null", "None"):
        assert name_and_value(f"views.crop={text}") == ("views.crop", None)
    assert name_and_value("wrap=Truely") == ("wrap", "Truely")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mines=1", "mines: DCLR has no such argument; there are .*mine_after"),
        ("views.flips=1", "views.flips.*views.flip"),
        ("mine_after=soon", 'mine_after="soon" is not a whole number'),
        ("mine_after=true", "is not a whole number"),
        ("temperature=[1]", "is not a number, as its default 0.07"),
        ("repulsion=1", "is not true or false"),
        ("mine=dynamic", "is not a list in JSON"),
        ("seed=1", "--seed"),
        ("views.size=8", "--view-size"),
    ],
)
def test_a_wrong_setting_is_one_sentence(text, message):
    with pytest.raises(ValueError, match=message) as error:
        config("dclr_tiny", "--set", text)
    assert "\n" not in str(error.value)


def test_a_setting_without_a_value_is_one_sentence(capsys):
    with pytest.raises(SystemExit):
        config("dclr_tiny", "--set", "mine")
    assert "'mine' is not like mine_after=500" in capsys.readouterr().err


def test_modes_that_are_not_there_are_refused():
    sizes = {"num_videos": 100, "batch_size": 4, "steps": 10, "seed": 0}
    for mine in (["dynamics"], "dynamic"):
        with pytest.raises(ValueError, match="`mine` must be a list"):
            build_model("dclr_tiny", changes={"mine": mine}, **sizes)


def test_a_longer_clip_of_teg_is_possible():
    found = config("teg_tiny", "--set", "long_frames=24")["set"]
    sizes = {"num_videos": 100, "batch_size": 4, "steps": 10, "seed": 0}
    model = build_model("teg_tiny", changes=found, **sizes)
    assert isinstance(model, TeG)
    assert model.training_sampler({"num_frames": 20, "stride": 1}).long_frames == 24


def test_a_run_keeps_what_was_set(tmp_path, capsys):
    videos, out = tmp_path / "videos", tmp_path / "run"
    counts = ["--pretrain", "4", "--train", "0", "--test", "0"]
    render = ["render", str(videos), *counts, "--size", "24", "--num-frames", "6"]
    assert main(render) == 0
    run = ["pretrain", str(videos), "--out", str(out), "--loss-weights", "vv=1"]
    run += ["--steps", "2", "--batch-size", "4", "--num-frames", "2", "--stride", "1"]
    run += ["--size", "20", "--view-size", "16", "--precision", "float32"]
    run += ["--optimizer", "sgd", "--no-jit-compile"]
    # What is refused leaves nothing behind that the corrected command trips over.
    assert main([*run, "--loss-weights", "nothing=1"]) == 2
    assert "'nothing'" in capsys.readouterr().err
    assert main([*run, "--set", "mine_after=1"]) == 0
    kept = json.loads((out / "run.json").read_text())
    assert kept["set"] == {"mine_after": 1}
    assert kept["optimizer"]["name"] == "sgd"
    assert DCLR.from_preset(str(out / "preset")).mine_after == 1
    capsys.readouterr()
    assert main([*run, "--set", "mine_after=2"]) == 2
    assert "holds a run with set" in capsys.readouterr().err
    # Of a run that is done the model counts, whatever else was deleted.
    shutil.rmtree(out / "checkpoints")
    assert main([*run, "--set", "mine_after=2"]) == 2


def test_known_boxes_are_for_systems_that_contrast_regions(tmp_path):
    world = ScenesWorld(num_sprites=2, num_frames=8, size=24)
    folder = render_world(world, tmp_path / "videos", {"pretrain": 4})
    with (folder / "annotations.jsonl").open("a") as file:
        file.write('{"video": "pretrain/00000.mp4", "boxes": 1}\n')
    manifest, clip = scan_folder(folder), {"num_frames": 4, "stride": 1}
    sizes = {"num_videos": 4, "batch_size": 4, "steps": 10, "seed": 0}
    model = build_model("const_cl_tiny", view_size=16, **sizes)
    assert "boxes" not in model.training_sampler(clip)(manifest.records[0], RNG)
    sampler = chosen_sampler(True, model, clip, manifest)
    batch = clip_dataset(manifest.records, sampler, size=24, batch_size=4)[0]
    views = model.make_views(batch)
    assert np.asarray(views["box_mask"]).sum() > 8
    assert np.asarray(views["boxes"]).shape == (4, 2, 8, 4)
    assert [r["path"] for r in manifest.rejects] == ["annotations.jsonl:5"]
    assert config("const_cl_tiny", "--boxes")["boxes"] is True
    with pytest.raises(ValueError, match="--boxes is not for DCLR"):
        chosen_sampler(True, build_model("dclr_tiny", **sizes), clip, manifest)


def test_a_fresh_model_starts_from_a_trained_backbone(tmp_path):
    sizes = {"num_videos": 100, "batch_size": 4, "steps": 10, "seed": 0}
    narrow = VideoResNetBackbone(width_multiplier=0.125, blocks=[1, 1, 1, 1])
    narrow.save_to_preset(str(tmp_path / "narrow"))
    model = build_model("dclr_tiny", backbone=str(tmp_path / "narrow"), **sizes)
    assert model.backbone.feature_dim == narrow.feature_dim
    for ours, theirs in zip(model.backbone.weights, narrow.weights, strict=True):
        assert np.array_equal(ours, theirs)
    packaged = build_model("dclr_tiny", backbone="dclr_tiny_scenes", **sizes)
    trained = DCLR.from_preset("dclr_tiny_scenes").backbone
    assert np.array_equal(packaged.backbone.weights[0], trained.weights[0])


@pytest.mark.parametrize(
    ("backbone", "model", "message"),
    [
        ("dclr_tiny_scenes", "teg", "VideoResNetBackbone; TeG starts from ResNet3D"),
        ("dclr_tiny_scenes", "csol", "CSOL starts from ImageResNetBackbone"),
        ("dclr_r2plus1d_ucf101", "dclr", "without weights"),
        ("nowhere", "dclr", "nowhere is neither a preset nor"),
    ],
)
def test_a_backbone_of_another_kind_is_one_sentence(backbone, model, message):
    with pytest.raises(ValueError, match=message):
        starting_backbone(backbone, system_named(model))
