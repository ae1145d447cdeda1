"""Every system through every command, with no word about any of them."""

import json
from pathlib import Path

import pytest
from backend_runs import start

from keras_avrep.cli.main import main
from keras_avrep.models import SYSTEMS

PROGRAM = Path(__file__).with_name("pretrain_program.py")
# The clips are each preset's own.
TRAINING = ["--steps", "2", "--batch-size", "4", "--precision", "float32"]


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    arguments = ["--pretrain", "8", "--train", "6", "--test", "6"]
    arguments += ["--size", "48", "--num-frames", "24"]
    assert main(["render", str(folder), *arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def runs(videos, tmp_path_factory):
    """Runs of all systems, trained on torch: what follows takes them on TensorFlow."""
    out = tmp_path_factory.mktemp("runs")
    names = [system.__name__ for system in SYSTEMS[1:]]
    start("torch", PROGRAM, videos, out, *names).finish()
    return out


# DCLR goes through them in `commands_test.py`.
@pytest.mark.parametrize("system", SYSTEMS[1:], ids=lambda s: s.__name__)
def test_pretrain_evaluate_export_report(system, videos, runs):
    name = system.__name__
    run = runs / name
    assert main(["evaluate", str(run), str(videos), "--num-clips", "1"]) == 0
    results = json.loads((run / "evaluation.json").read_text())
    assert set(results["probe"]) == {"motion", "scene", "sprite"}
    export = ["export", str(run), str(videos), "--formats", "litert"]
    assert main([*export, "--parts", "all"]) == 0
    summary = json.loads((run / "summary.json").read_text())
    assert summary["titles"] == {name.lower(): name}
    rows = summary["export"]
    # The representation once, its parts as SavedModel and LiteRT.
    parts = len(system.from_preset(str(run / "preset")).inference_models()) - 1
    assert parts >= 1
    assert len(rows) == 1 + 2 * parts
    assert max(row["max_abs_diff"] for row in rows) < 1e-4
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    for section in ("results", "gallery", "maps", "training", "exports"):
        assert f'<section id="{section}">' in page, section
    # What single units stand for is shown of the system that has such.
    assert ('<section id="units">' in page) == (name == "StaticDynamicConcepts")


def test_clips_that_a_system_cannot_take_are_said_in_its_own_words(
    videos, tmp_path, capsys
):
    run = ["pretrain", str(videos), "--out", str(tmp_path), *TRAINING]
    run += ["--model", "ControllableAugmentations", "--view-size", "32"]
    assert main(run) == 2
    error = capsys.readouterr().err
    assert "grid" in error
    assert len(error.strip().splitlines()) == 1


def test_an_unknown_part_is_one_sentence_and_writes_nothing(videos, tmp_path, capsys):
    name, out = "dclr_tiny_scenes", tmp_path / "export"
    run = ["export", name, str(videos), "--formats", "litert", "--out", str(out)]
    assert main([*run, "--parts", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert not out.exists()
