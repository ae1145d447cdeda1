"""Scores of a localiser that comes with weights, on a world that it has not seen."""

import json

from keras_avrep.data import read_orchestra
from keras_avrep.evaluation import evaluate_localiser
from keras_avrep.worlds import OrchestraWorld, render_world


def mixture_scores(system, preset, kind, folder):
    """Results for mixtures, on other pictures and sounds than it was trained on."""
    clip = json.loads((system.packaged_weights(preset) / "clip.json").read_text())
    render_world(OrchestraWorld(kind, seed=1234), folder, {"test": 96})
    scores, _ = evaluate_localiser(
        system.from_preset(preset),
        read_orchestra(folder).split("test"),
        cluster_names=clip["cluster_names"],
        size=clip["size"],
    )
    return scores["mixtures"]


def assert_it_finds_instruments(mixtures, overlap):
    """Better than its own plain map and than every floor, and it listens."""
    found = mixtures["model"]
    assert found["ciou_at_30"] > overlap
    assert found["ciou_at_30"] > 2 * mixtures["correspondence"]["ciou_at_30"]
    assert found["sounding_over_silent"] > 0.5
    for floor in mixtures["floors"].values():
        assert found["ciou_at_30"] > floor["ciou_at_30"]
