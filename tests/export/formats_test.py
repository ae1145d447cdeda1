import json

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.export import (
    ExportError,
    compare,
    export_all,
    export_litert,
    export_onnx,
    retrieval_agreement,
    run_litert,
    run_onnx,
    run_saved_model,
)
from keras_avrep.export import onnx as onnx_export
from keras_avrep.export.fuse import FusedConv3D
from keras_avrep.export.inference_form import (
    fixed_part,
    float32_part,
)
from keras_avrep.models import DCLR, VideoClassifier

CLIP = (4, 32, 32, 3)
FLOAT32 = ("saved_model", "litert", "onnx")
QUANTISED = ("litert_dynamic", "litert_int8")


def moving_clips(count=8, seed=1):
    """Coloured gratings that drift at their own speed, with some noise."""
    rng = np.random.default_rng(seed)
    time, _, x = np.mgrid[:4, :32, :32]
    clips = []
    for index in range(count):
        wave = np.sin(0.2 * (index + 1) * x + 0.5 * index * time)
        colour = rng.uniform(20, 120, 3)
        clips.append(128 + wave[..., None] * colour + rng.normal(0, 5, CLIP))
    return np.clip(clips, 0, 255).astype("uint8")


def tiny_model(**kwargs):
    keras.utils.set_random_seed(0)
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.125, **kwargs)
    model = DCLR(backbone, hidden_dim=8, projection_dim=8, queue_size=8)
    # Statistics of real activations, so that batch norms are not identities.
    representation = model.representation
    for _ in range(10):
        representation([moving_clips()], training=True)
    return model


def features_of(model, clips):
    return model.representation.predict(clips.astype("float32"), verbose=0)


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    # As many as are advised: the ranges of six differ too much from those needed.
    others = moving_clips(64, seed=2)
    rows = export_all(
        model, folder, moving_clips(), name="tiny", calibration_clips=others
    )
    return folder, {row["format"]: row for row in rows}


def test_every_format_is_written_and_summarised(exported):
    folder, rows = exported
    assert list(rows) == [
        "saved_model",
        "litert",
        "litert_dynamic",
        "litert_int8",
        "onnx",
    ]
    assert json.loads((folder / "export.json").read_text()) == list(rows.values())
    for row in rows.values():
        assert (folder / row["path"]).exists()
        assert row["bytes"] > 0 and row["latency_ms"] > 0


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_formats_compute_what_keras_computes(exported, name):
    row = exported[1][name]
    assert row["max_abs_diff"] < 1e-5
    assert row["retrieval_agreement"] == 1.0


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_formats_are_small_and_close(exported, model, name):
    _, rows = exported
    scale = np.abs(features_of(model, moving_clips())).max()
    assert 0 < rows[name]["max_abs_diff"] < 0.1 * scale
    assert rows[name]["bytes"] < 0.5 * rows["litert"]["bytes"]


def test_int8_tells_how_often_it_finds_the_same_neighbour(exported, model):
    folder, _ = exported
    rows = json.loads((folder / "export.json").read_text())
    (row,) = (row for row in rows if row["format"] == "litert_int8")
    clips = moving_clips()
    found, _ = run_litert(folder / row["path"], clips)

    def neighbours(features):
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        similarity = unit.astype("float64") @ unit.T
        np.fill_diagonal(similarity, -np.inf)
        return similarity.argmax(axis=1)

    same = neighbours(found) == neighbours(features_of(model, clips))
    assert row["retrieval_agreement"] == same.mean()


def test_int8_is_calibrated_on_the_clips_given_for_it(exported, model, tmp_path):
    folder, rows = exported
    row = rows["litert_int8"]
    assert row["note"] == "calibrated on 64 other clips"
    assert "note" not in rows["litert_dynamic"]
    kwargs = {"clip_shape": CLIP, "quantize": "int8"}
    for seed, count, same in ((2, 64, True), (1, 8, False)):
        clips = moving_clips(count, seed)
        path = tmp_path / f"{seed}.tflite"
        export_litert(model, path, calibration_clips=clips, **kwargs)
        found, _ = run_litert(path, moving_clips(4))
        expected, _ = run_litert(folder / row["path"], moving_clips(4))
        assert np.array_equal(found, expected) == same


def test_int8_runs_its_convolutions_in_integers(exported):
    from ai_edge_litert.interpreter import Interpreter

    folder, rows = exported
    interpreter = Interpreter(str(folder / rows["litert_int8"]["path"]))
    kernels = [t for t in interpreter.get_tensor_details() if len(t["shape"]) == 4]
    floats = [t["name"] for t in kernels if t["dtype"] == np.float32]
    assert not floats
    (video,) = interpreter.get_input_details()
    assert video["dtype"] == np.float32 and tuple(video["shape"]) == (1, *CLIP)


def test_runners_take_uint8_clips_and_return_one_row_each(exported, model):
    folder, rows = exported
    clips = moving_clips(3)
    expected = features_of(model, clips)
    for name, run in zip(FLOAT32, (run_saved_model, run_litert, run_onnx), strict=True):
        features, latency = run(folder / rows[name]["path"], clips)
        np.testing.assert_allclose(features, expected, atol=1e-5)
        assert latency > 0


def test_a_classifier_is_written_to_its_logits_in_every_format(model, tmp_path):
    classifier = VideoClassifier(model.backbone, 3)
    kernel = classifier.get_layer("logits").kernel
    kernel.assign(1000 * kernel)  # logits apart, as after training
    clips = moving_clips(4)
    logits = classifier.predict(clips.astype("float32"), verbose=0)
    assert np.abs(logits).max() > 1
    rows = export_all(
        classifier,
        tmp_path,
        clips,
        name="c",
        calibration_clips=moving_clips(8, seed=2),
        part="logits",
        labels=["a", "b", "ö"],
    )
    assert (tmp_path / "c_labels.txt").read_text(encoding="utf-8") == "a\nb\nö\n"
    for row in rows:
        run = {"saved_model": run_saved_model, "onnx": run_onnx}.get(
            row["format"], run_litert
        )
        found, _ = run(tmp_path / row["path"], clips)
        assert found.shape == (4, 3)
        if row["format"] in FLOAT32:
            np.testing.assert_allclose(found, logits, rtol=1e-4, atol=1e-4)
            assert row["class_agreement"] == 1.0
    interpreter = Interpreter(model_path=str(tmp_path / "c_int8.tflite"))
    outputs = interpreter.get_signature_list()["serving_default"]["outputs"]
    assert outputs == ["logits"]
    with pytest.raises(ValueError, match="no `regions`"):
        export_all(classifier, tmp_path, clips, name="c", part="regions")


def test_a_difference_beyond_the_tolerance_is_an_error(model, tmp_path):
    with pytest.raises(ExportError, match=r"saved_model .* tolerance -1") as raised:
        export_all(
            model,
            tmp_path,
            moving_clips(2),
            name="tiny",
            formats=["saved_model"],
            tolerance=-1,
        )
    assert (tmp_path / "tiny" / "1" / "saved_model.pb").exists()
    assert not (tmp_path / "export.json").exists()
    # What was measured is kept for who goes on.
    row = raised.value.row
    assert row["path"] == "tiny/1" and 0 <= row["max_abs_diff"] < 1e-4
    assert str(tmp_path / "tiny" / "1") in str(raised.value)


def test_an_unfolded_backbone_is_folded_and_fused_with_equal_outputs():
    model = tiny_model(fold=False)
    clips = moving_clips(2).astype("float32")
    fixed = fixed_part(model, CLIP, batch_size=1)
    layers = list(fixed._flatten_layers())
    assert all(layer.fold for layer in layers if isinstance(layer, FusedConv3D))
    assert not any(isinstance(x, keras.layers.BatchNormalization) for x in layers)
    expected = features_of(model, clips)
    found = np.concatenate([np.asarray(fixed(clip[None])) for clip in clips])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_mixed_precision_is_exported_in_float32():
    model = tiny_model(dtype="mixed_bfloat16")
    clips = moving_clips(2).astype("float32")
    rebuilt = float32_part(model).predict(clips, verbose=0)
    np.testing.assert_allclose(rebuilt, features_of(model, clips), atol=0.1)
    assert np.abs(rebuilt - features_of(model, clips)).max() > 1e-4
    fixed = fixed_part(model, CLIP)
    np.testing.assert_allclose(np.asarray(fixed(clips)), rebuilt, atol=1e-5)


@pytest.mark.parametrize("convolution", ["3d", "mixed"])
def test_full_kernels_become_integer_convolutions(tmp_path, convolution):
    model = tiny_model(convolution=convolution)
    clips = moving_clips(4)
    (row,) = export_all(model, tmp_path, clips, name="t", formats=["litert_int8"])
    assert row["note"] == "calibrated on the compared clips"
    assert row["max_abs_diff"] < 0.1 * np.abs(features_of(model, clips)).max()
    interpreter = Interpreter(model_path=str(tmp_path / row["path"]))
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()
    convolutions = [o for o in operations if o["op_name"].startswith("CONV")]
    assert {o["op_name"] for o in convolutions} == {"CONV_2D"}
    inputs = [[tensors[index] for index in o["inputs"][:2]] for o in convolutions]
    wide = [x for x, kernel in inputs if kernel["shape"][1] > 1]
    assert {x["dtype"] for x in wide} == {np.int8}


def test_a_dead_layer_is_reported_rather_than_crashing_the_interpreter(tmp_path):
    model = tiny_model()
    norm = model.backbone.get_layer("stage2_block1_conv1_spatial_norm")
    norm.beta.assign(np.full(norm.beta.shape, -100.0))
    with pytest.raises(ValueError, match="zero on every calibration clip"):
        export_all(
            model, tmp_path, moving_clips(2), name="tiny", formats=["litert_int8"]
        )


def test_onnx_is_skipped_with_a_note_when_its_extra_is_missing(
    model, tmp_path, monkeypatch
):
    absent = (*onnx_export.PACKAGES, "a_package_that_is_not_installed")
    monkeypatch.setattr(onnx_export, "PACKAGES", absent)
    (row,) = export_all(model, tmp_path, moving_clips(2), name="t", formats=["onnx"])
    assert row["path"] is None and "install keras-avrep[onnx]" in row["note"]
    with pytest.raises(ImportError, match=r"install keras-avrep\[onnx\]"):
        export_onnx(model, tmp_path / "a.onnx", clip_shape=CLIP)


def test_compare_and_retrieval_agreement():
    reference = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]])
    assert compare(reference, reference + 0.5) == pytest.approx(0.5)
    assert np.isnan(compare(reference, reference * np.nan))
    assert retrieval_agreement(reference, 3 * reference) == 1.0
    assert retrieval_agreement(reference, reference[[0, 2, 1, 3]]) == 0.0
    with pytest.raises(ValueError, match="same clips"):
        compare(reference, reference[:2])
    with pytest.raises(ValueError, match="at least 3"):
        retrieval_agreement(reference[:2], reference[:2])


def test_wrong_arguments_are_refused(model, tmp_path):
    clips = moving_clips(1)
    with pytest.raises(ValueError, match="clip_shape"):
        export_onnx(model, tmp_path / "a.onnx", clip_shape=(None, 32, 32, 3))
    with pytest.raises(ValueError, match=r"\.onnx"):
        export_onnx(model, tmp_path / "a.pb", clip_shape=CLIP)
    with pytest.raises(ValueError, match="quantize"):
        export_litert(model, tmp_path / "a.tflite", clip_shape=CLIP, quantize="int4")
    with pytest.raises(ValueError, match="calibration_clips"):
        export_litert(model, tmp_path / "a.tflite", clip_shape=CLIP, quantize="int8")
    with pytest.raises(ValueError, match="formats"):
        export_all(model, tmp_path, clips, name="tiny", formats=["coreml"])
    with pytest.raises(ValueError, match="clips"):
        export_all(model, tmp_path, clips[0], name="tiny")
    with pytest.raises(ValueError, match="calibration_clips"):
        other = clips[:, :, :16]
        export_all(model, tmp_path, clips, name="tiny", calibration_clips=other)
    with pytest.raises(ValueError, match="representation"):
        plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        export_onnx(plain, tmp_path / "a.onnx", clip_shape=CLIP)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        run_litert(tmp_path / "none.tflite", clips)
