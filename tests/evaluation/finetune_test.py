import os
import signal

import keras
import numpy as np
import pytest
from untraced import untraced

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.data import scan_folder
from keras_avrep.evaluation import (
    classification_accuracy,
    embed_videos,
    finetune,
    multi_hot,
)
from keras_avrep.evaluation.finetune import finetuning_optimizer
from keras_avrep.models import VideoClassifier
from keras_avrep.training import CheckpointError, SGDWithL2
from keras_avrep.worlds import ScenesWorld, render_world

CLIP = {"num_frames": 4, "stride": 1, "size": 16}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    render_world(ScenesWorld(size=32, num_frames=8), folder, {"train": 12})
    return scan_folder(folder).records


def classifier(classes, train_backbone=True):
    keras.utils.set_random_seed(3)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return VideoClassifier(backbone, len(classes), train_backbone=train_backbone)


def tuned(model, records, classes, folder, **options):
    options = {"epochs": 2, "clips_per_epoch": 2, "batch_size": 4, **options}
    return finetune(
        model,
        records,
        "sprite",
        classes,
        folder,
        view_size=16,
        learning_rate=0.05,
        **CLIP,
        **options,
    )


@pytest.fixture(scope="module")
def classes(records):
    return sorted({r.labels["sprite"] for r in records})


@untraced()
def test_ctrl_c_saves_and_the_same_call_ends_as_if_undisturbed(
    records, classes, tmp_path
):
    whole = classifier(classes)
    result = tuned(whole, records, classes, tmp_path / "whole", show=lambda line: None)
    assert result["steps"] == 12
    assert np.all(np.isfinite(result["losses"]))

    def interrupt(line):
        if line.startswith("step 10/"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tuned(classifier(classes), records, classes, tmp_path / "parts", show=interrupt)
    lines = []
    resumed = classifier(classes)
    again = tuned(resumed, records, classes, tmp_path / "parts", show=lines.append)
    assert lines[0].startswith("resumed at step 1")
    assert again["steps"] == 12
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    with pytest.raises(ValueError, match="trained for 12 steps"):
        tuned(classifier(classes), records, classes, tmp_path / "parts", epochs=1)
    # Another classifier is told apart.
    with pytest.raises(CheckpointError, match="another configuration"):
        tuned(classifier([*classes, "x"]), records, classes, tmp_path / "parts")


def test_a_frozen_backbone_keeps_its_weights_and_its_batch_norm(
    records, classes, tmp_path
):
    model = classifier(classes, train_backbone=False)
    before = [w.copy() for w in model.backbone.get_weights()]
    logits = model.get_layer("logits").get_weights()[0].copy()
    tuned(model, records, classes, tmp_path, epochs=1, show=lambda line: None)
    for a, b in zip(before, model.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(logits, model.get_layer("logits").get_weights()[0])


def test_videos_with_several_labels_are_a_yes_or_no_for_each_class(
    records, classes, tmp_path
):
    wanted = [[r.labels["sprite"], "moving"] for r in records]
    names = [*classes, "moving", "never"]
    rows = multi_hot(wanted, names)
    model = classifier(names, train_backbone=False)
    options = {"epochs": 4, "clips_per_epoch": 2, "batch_size": 4, "flip": 0.0}
    finetune(
        model,
        records,
        rows,
        names,
        tmp_path,
        view_size=16,
        learning_rate=0.5,
        show=lambda line: None,
        **CLIP,
        **options,
    )
    logits = embed_videos(model, records, num_clips=1, **CLIP).values
    # Not a softmax: one class is on and one is off in every video.
    assert (logits[:, -2] > 0).all() and (logits[:, -1] < 0).all()
    with pytest.raises(ValueError, match="one row for each of the 12 records"):
        finetune(model, records, rows[:3], names, tmp_path / "x", view_size=16)


def test_top_k_accuracy_of_known_logits(records, classes):
    video = keras.Input((4, 16, 16, 3))
    zeros = keras.ops.mean(video, axis=(1, 2, 3, 4))[:, None] * 0
    # The classes always in this order, the last first.
    model = keras.Model(video, zeros + np.arange(len(classes), dtype="float32"))
    arguments = (model, records, "sprite", classes)
    truth = [r.labels["sprite"] for r in records]
    expected = {k: np.mean([t in classes[-k:] for t in truth]) for k in (1, 2)}
    options = {"num_clips": 1, **CLIP}
    found = classification_accuracy(*arguments, top_k=(1, 2), **options)
    assert found == pytest.approx(expected)
    assert 0 < found[1] < found[2]
    assert classification_accuracy(*arguments, **options) == found[1]


def test_the_rate_falls_to_a_tenth_after_6_and_8_tenths_of_the_steps():
    optimizer = finetuning_optimizer(0.1, 1e-4, steps=100)
    # Weight decay is part of the gradient, as in the published recipe.
    assert isinstance(optimizer, SGDWithL2)
    assert (optimizer.momentum, optimizer.l2) == (0.9, 1e-4)
    optimizer.build([keras.Variable([1.0])])
    rates = []
    for step in (0, 59, 60, 79, 80, 99):
        optimizer.iterations.assign(step)
        rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3], rtol=1e-5)
