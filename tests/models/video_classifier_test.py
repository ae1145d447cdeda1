import h5py
import keras
import numpy as np
import pytest
from tiny_dclr import build

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, VideoClassifier

CLIPS = np.random.default_rng(0).uniform(0, 255, (4, 2, 16, 16, 3)).astype("float32")


def weights(backbone):
    return backbone.get_weights()


def test_takes_over_just_the_backbone_of_a_dclr_preset(tmp_path):
    model = build(seed=3)
    model.save_to_preset(str(tmp_path / "dclr"))
    classifier = VideoClassifier.from_preset(str(tmp_path / "dclr"), num_classes=5)
    for a, b in zip(weights(model.backbone), weights(classifier.backbone), strict=True):
        np.testing.assert_array_equal(a, b)
    assert classifier.predict(CLIPS, verbose=0).shape == (4, 5)
    np.testing.assert_allclose(
        classifier.representation.predict(CLIPS, verbose=0),
        model.representation.predict(CLIPS, verbose=0),
        atol=1e-5,
    )


def test_learns_and_survives_its_own_preset(tmp_path):
    classifier = VideoClassifier(build().backbone, 2)
    classifier.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    labels = np.array([0, 1, 0, 1])
    first = classifier.train_on_batch(CLIPS, labels)
    for _ in range(15):
        last = classifier.train_on_batch(CLIPS, labels)
    assert last < first / 2
    classifier.save_to_preset(str(tmp_path))
    with h5py.File(tmp_path / "task.weights.h5") as file:
        assert "optimizer" not in file
    # It stays with the model all the same.
    assert classifier.train_on_batch(CLIPS, labels) < first / 2
    classifier.save_to_preset(str(tmp_path))
    again = VideoClassifier.from_preset(str(tmp_path))
    np.testing.assert_allclose(
        again.predict(CLIPS, verbose=0), classifier.predict(CLIPS, verbose=0), atol=1e-5
    )


def test_a_frozen_backbone_does_not_move():
    classifier = VideoClassifier(build().backbone, 2, train_backbone=False)
    classifier.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    before = weights(classifier.backbone)
    classifier.train_on_batch(CLIPS, np.array([0, 1, 0, 1]))
    for a, b in zip(before, weights(classifier.backbone), strict=True):
        np.testing.assert_array_equal(a, b)


def test_unit_features_make_logits_blind_to_the_length_of_features(tmp_path):
    classifier = VideoClassifier(build().backbone, 2, unit_features=True)
    features = classifier.representation.predict(CLIPS, verbose=0)
    kernel, bias = classifier.get_layer("logits").get_weights()
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    logits = classifier.predict(CLIPS, verbose=0)
    np.testing.assert_allclose(logits, unit @ kernel + bias, atol=1e-6)
    classifier.save_to_preset(str(tmp_path))
    again = VideoClassifier.from_preset(str(tmp_path))
    assert again.unit_features
    np.testing.assert_allclose(again.predict(CLIPS, verbose=0), logits, atol=1e-6)


def test_says_what_can_be_exported():
    classifier = VideoClassifier(build().backbone, 2)
    models = classifier.inference_models()
    assert list(models) == ["representation", "logits"]
    sizes = {"representation": classifier.backbone.feature_dim, "logits": 2}
    for name, size in sizes.items():
        inputs = classifier.inference_inputs(name, CLIPS)
        assert list(inputs) == ["video"]
        assert models[name].predict(inputs["video"], verbose=0).shape == (4, size)
    logits = models["logits"].predict(CLIPS, verbose=0)
    np.testing.assert_array_equal(logits, classifier.predict(CLIPS, verbose=0))


def test_a_fresh_one_has_the_precision_that_was_asked_for():
    fresh = VideoClassifier.from_preset(
        "dclr_tiny", load_weights=False, num_classes=3, dtype="mixed_bfloat16"
    )
    assert fresh.backbone.get_layer("stem_spatial").compute_dtype == "bfloat16"
    assert fresh.get_layer("logits").compute_dtype == "float32"


@pytest.mark.parametrize("task", [DCLR, VideoClassifier])
def test_weights_of_a_bare_configuration_are_a_helpful_error(task):
    kwargs = {"num_classes": 3} if task is VideoClassifier else {}
    with pytest.raises(ValueError, match="load_weights=False"):
        task.from_preset("dclr_r3d_18_ucf101", **kwargs)


@pytest.mark.parametrize("name", DCLR.presets)
def test_every_preset_builds_its_backbone(name):
    preset = DCLR.presets[name]
    backbone = VideoResNetBackbone(**preset["backbone"])
    blocks = preset["backbone"]["blocks"]
    if preset["backbone"].get("width_multiplier", 1.0) == 1.0:
        millions = backbone.count_params() / 1e6
        expected = {("2plus1d", 1): 12.5, ("2plus1d", 2): 31.3, ("3d", 2): 33.2}
        kind = (preset["backbone"]["convolution"], blocks[0])
        assert millions == pytest.approx(expected[kind], abs=0.1)
    assert preset["description"]


def test_a_preset_of_mixed_precision_loads_in_any_precision(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build(seed=3)
    model.save_to_preset(str(tmp_path))
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        loaded = DCLR.from_preset(str(tmp_path))
        classifier = VideoClassifier.from_preset(str(tmp_path), num_classes=3)
        backbone = VideoResNetBackbone.from_preset(str(tmp_path))
        assert loaded.backbone.layers[-1].dtype_policy.name == policy
        for other in (loaded.backbone, classifier.backbone, backbone):
            for a, b in zip(weights(model.backbone), weights(other), strict=True):
                np.testing.assert_array_equal(a, b)
