import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_avrep.export import ExportError, export_part
from keras_avrep.export.inference_form import float32_model


def two_in_two_out():
    video = keras.Input((2, 8, 8, 3), name="video")
    boxes = keras.Input((3, 4), name="boxes")
    pooled = keras.layers.GlobalAveragePooling3D()(video)
    outputs = {
        "logits": keras.layers.Dense(5, name="classes")(pooled),
        "boxes_out": keras.layers.Dense(2, name="regions")(boxes),
    }
    return keras.Model([video, boxes], outputs)


def examples(count=3):
    rng = np.random.default_rng(0)
    return {
        "video": rng.integers(0, 255, (count, 2, 8, 8, 3), "uint8"),
        "boxes": rng.uniform(size=(count, 3, 4)),
    }


def test_named_inputs_and_outputs_come_back_the_same(tmp_path):
    rows = export_part(two_in_two_out(), tmp_path, examples(), name="both")
    assert [row["format"] for row in rows] == ["saved_model", "litert"]
    for row in rows:
        assert row["max_abs_diff"] < 1e-4
        assert row["inputs"] == {"video": [2, 8, 8, 3], "boxes": [3, 4]}
        assert row["outputs"] == {"logits": [5], "boxes_out": [3, 2]}
        assert row["bytes"] > 0
        assert (tmp_path / row["path"]).exists()
    # What is there is served.
    assert 'name: "both"' in (tmp_path / "models.config").read_text()
    text = (tmp_path / "both.md").read_text()
    assert "| `both.tflite` | `video` (1, 2, 8, 8, 3), `boxes` (1, 3, 4) |" in text
    assert "places for" not in text
    readme = (tmp_path / "README.md").read_text()
    assert "## both\n" in readme and "| `both/1` | `video` (batch, 2, 8" in readme


def test_a_model_of_reduced_precision_is_written_in_float32(tmp_path):
    video = keras.Input((4,), name="video")
    outputs = keras.layers.Dense(3, dtype="mixed_bfloat16")(video)
    model = keras.Model(video, outputs)
    inputs = {"video": np.ones((2, 4))}
    (row,) = export_part(model, tmp_path, inputs, name="one", formats=("litert",))
    assert row["outputs"] == {"output": [3]}
    interpreter = Interpreter(str(tmp_path / row["path"]))
    interpreter.allocate_tensors()
    details = interpreter.get_input_details() + interpreter.get_output_details()
    assert {part["dtype"] for part in details} == {np.float32}
    interpreter.set_tensor(details[0]["index"], np.ones((1, 4), np.float32))
    interpreter.invoke()
    kernel, bias = model.layers[-1].get_weights()
    found = interpreter.get_tensor(details[1]["index"])
    np.testing.assert_allclose(found[0], kernel.sum(axis=0) + bias, atol=1e-6)
    # Nothing is served.
    assert not (tmp_path / "README.md").exists()


def test_models_and_operations_within_a_model_are_written_in_float32(tmp_path):
    numbers = keras.Input((4,))
    inner = keras.Model(
        numbers, keras.layers.Dense(3, dtype="mixed_bfloat16", name="dense")(numbers)
    )
    video = keras.Input((4,), name="video")
    model = keras.Model(video, inner(video)[..., :2])
    inputs = {"video": np.random.default_rng(0).normal(size=(2, 4))}
    (row,) = export_part(model, tmp_path, inputs, name="one", formats=("litert",))
    assert row["outputs"] == {"output": [2]}
    copy = float32_model(model)
    expected = inputs["video"] @ np.asarray(inner.layers[-1].kernel)[:, :2]
    found = copy.predict(inputs["video"], verbose=0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_wrong_inputs_and_differences_are_refused(tmp_path):
    with pytest.raises(ValueError, match="boxes"):
        export_part(two_in_two_out(), tmp_path, {"video": 0}, name="x")
    with pytest.raises(ValueError, match="`formats` names"):
        export_part(two_in_two_out(), tmp_path, examples(), name="x", formats=["onnx"])
    with pytest.raises(ValueError, match="`open_axes` names"):
        options = {"open_axes": {"other": 1}}
        export_part(two_in_two_out(), tmp_path, examples(), name="x", **options)
    with pytest.raises(ExportError, match="tolerance"):
        export_part(two_in_two_out(), tmp_path, examples(), name="x", tolerance=-1.0)


def test_names_that_are_no_names_of_files_and_urls_are_refused(tmp_path):
    for name in ("a b", "a/b", "../a"):
        with pytest.raises(ValueError, match="`name`"):
            export_part(two_in_two_out(), tmp_path / "out", examples(), name=name)
    assert not list(tmp_path.iterdir())
