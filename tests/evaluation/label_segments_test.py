import numpy as np
import pytest

from keras_avrep.evaluation import detection_average_precision, label_segments

LABELS = ["pour", "pour", "stir", "background", "pour"]
CLASSES = ["background", "pour", "stir"]


def test_runs_become_segments_in_seconds():
    assert label_segments(LABELS, fps=2.0) == [
        {"label": "pour", "segment": [0.0, 1.0]},
        {"label": "stir", "segment": [1.0, 1.5]},
        {"label": "background", "segment": [1.5, 2.0]},
        {"label": "pour", "segment": [2.0, 2.5]},
    ]
    assert label_segments([], fps=2.0) == []


def test_a_segment_is_scored_by_the_mean_probability_of_its_label():
    shares = np.array([[0, 0.6, 0.4], [0, 0.8, 0.2], [0.1, 0, 0.9], [1, 0, 0]])
    shares = np.concatenate([shares, [[0.3, 0.5, 0.2]]])
    found = label_segments(LABELS, 2.0, shares, CLASSES, ignored=["background"])
    assert [e["label"] for e in found] == ["pour", "stir", "pour"]
    assert [e["score"] for e in found] == pytest.approx([0.7, 0.9, 0.5])
    truth = {"v": label_segments(LABELS, 2.0, ignored=["background"])}
    average = detection_average_precision({"v": found}, truth)["average"]
    assert average == pytest.approx(1.0)
    with pytest.raises(ValueError, match="each of the 5 labels"):
        label_segments(LABELS, 2.0, shares[:3], CLASSES)
    with pytest.raises(ValueError, match="classes"):
        label_segments(LABELS, 2.0, shares)
