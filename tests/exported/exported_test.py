"""The shipped preset and its LiteRT files compute the same."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from keras_avrep.evaluation import embed_clips
from keras_avrep.export import run_litert
from keras_avrep.models import CSOL, DCLR, VideoClassifier
from keras_avrep.worlds import OrchestraWorld, ScenesWorld

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "exported"
NAME = "dclr_tiny_scenes"


@pytest.fixture(scope="module")
def model():
    return DCLR.from_preset(NAME)


@pytest.fixture(scope="module")
def clips():
    world = ScenesWorld(size=48, num_frames=8, seed=5)
    return np.stack([world.frames(world.plan("test", i)) for i in range(6)])


ROWS = json.loads((FOLDER / "export.json").read_text())


@pytest.mark.parametrize("row", [row for row in ROWS if NAME in row["path"]])
def test_files_agree_with_the_preset(model, clips, row):
    path = FOLDER / row["path"]
    assert path.stat().st_size == row["bytes"] < 2_000_000
    features, _ = run_litert(path, clips.astype("float32"))
    reference = embed_clips(model.representation, clips)
    difference = np.abs(features - reference).max()
    assert difference < (1e-4 if row["format"] == "litert" else 3 * row["max_abs_diff"])


def test_the_python_examples_run(monkeypatch):
    text = (FOLDER / "README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(FOLDER)
    scope: dict = {}
    for example in examples:
        exec(example, scope)
    assert scope["feature"].shape == (1, 96)
    assert scope["maps"]["sounding_map"].shape == (1, 12, 12, 1)


def test_the_localiser_agrees_with_its_preset():
    from ai_edge_litert.interpreter import Interpreter

    path = FOLDER / "csol_tiny_orchestra.tflite"
    (row,) = [row for row in ROWS if row["path"] == path.name]
    assert path.stat().st_size == row["bytes"] < 2_000_000
    localiser = Interpreter(str(path)).get_signature_runner()
    world = OrchestraWorld("composite", seed=5)
    plan = world.plan("test", 0)
    inputs = {
        "frame": world.frames(plan)[:1].astype("float32"),
        "waveform": world.waveform(plan)[None].astype("float32"),
    }
    expected = CSOL.from_preset("csol_tiny_orchestra").predict(inputs, verbose=0)
    found = localiser(**inputs)
    assert found.keys() == expected.keys()
    for name, maps in expected.items():
        np.testing.assert_allclose(found[name], maps, atol=1e-4)


def test_the_preset_is_trained_and_its_twins_follow(model):
    untrained = DCLR.from_preset(NAME, load_weights=False)
    pairs = zip(model.backbone.weights, untrained.backbone.weights, strict=True)
    assert any(np.abs(np.asarray(a) - np.asarray(b)).max() > 0.01 for a, b in pairs)
    twin = model.momentum_encoder.twins[0]
    for a, b in zip(model.backbone.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_a_classifier_takes_the_shipped_preset(model):
    classifier = VideoClassifier.from_preset(NAME, num_classes=5)
    for a, b in zip(model.backbone.weights, classifier.backbone.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
