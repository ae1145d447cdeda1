"""The shipped preset and its LiteRT files compute the same."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from keras_avrep.evaluation import embed_clips
from keras_avrep.export import run_litert
from keras_avrep.models import DCLR, VideoClassifier
from keras_avrep.worlds import ScenesWorld

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


@pytest.mark.parametrize("row", json.loads((FOLDER / "export.json").read_text()))
def test_files_agree_with_the_preset(model, clips, row):
    path = FOLDER / row["path"]
    assert path.stat().st_size == row["bytes"] < 2_000_000
    features, _ = run_litert(path, clips.astype("float32"))
    reference = embed_clips(model.representation, clips)
    difference = np.abs(features - reference).max()
    assert difference < (1e-4 if row["format"] == "litert" else 0.5)


def test_the_python_example_runs(monkeypatch):
    text = (FOLDER / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(FOLDER)
    scope: dict = {}
    exec(example, scope)
    assert scope["feature"].shape == (1, 96)


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
