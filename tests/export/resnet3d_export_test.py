"""The trunk of ConST-CL and TeG in every format, run by its runtime beside Keras."""

import numpy as np
import pytest
import tiny_const_cl as tiny
from ai_edge_litert.interpreter import Interpreter

from keras_avrep.export import export_all, run_litert, run_onnx, run_saved_model

CLIP = (6, 24, 24, 3)
FLOAT32 = {"saved_model": run_saved_model, "litert": run_litert, "onnx": run_onnx}


def moving_clips(count, seed):
    """Coloured gratings that drift at their own speed, with some noise."""
    rng = np.random.default_rng(seed)
    time, _, x = np.mgrid[:6, :24, :24]
    clips = []
    for _ in range(count):
        wave = np.sin(rng.uniform(0.2, 1.5) * x + rng.uniform(-2, 2) * time)
        colour = rng.uniform(-110, 110, 3)
        clips.append(128 + wave[..., None] * colour + rng.normal(0, 5, CLIP))
    return np.clip(clips, 0, 255).astype("uint8")


def cosines(first, second):
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / lengths


@pytest.fixture(scope="module")
def clips():
    return moving_clips(8, seed=1)


@pytest.fixture(scope="module")
def model(clips):
    model = tiny.build()
    # Statistics of real activations, so that batch norms are not identities.
    for _ in range(10):
        model.representation([clips], training=True)
    return model


@pytest.fixture(scope="module")
def expected(model, clips):
    return model.representation.predict(clips.astype("float32"), verbose=0)


@pytest.fixture(scope="module")
def exported(model, clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    others = moving_clips(64, seed=2)
    rows = export_all(model, folder, clips, name="tiny", calibration_clips=others)
    return {row["format"]: {**row, "path": folder / row["path"]} for row in rows}


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_formats_give_the_features_of_keras(name, exported, clips, expected):
    found, _ = FLOAT32[name](exported[name]["path"], clips)
    assert found.shape == expected.shape == (8, 128)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert exported[name]["retrieval_agreement"] == 1.0


@pytest.mark.parametrize("name", ["litert_dynamic", "litert_int8"])
def test_quantised_formats_point_the_same_way(name, exported, clips, expected):
    found, _ = run_litert(exported[name]["path"], clips)
    assert np.abs(found - expected).max() > 1e-4
    assert cosines(found, expected).min() > 0.99
    # Of what tells clips apart, not only of what all have in common.
    centre = expected.mean(axis=0)
    assert cosines(found - centre, expected - centre).min() > 0.9
    assert exported[name]["bytes"] < 0.7 * exported["litert"]["bytes"]


def test_int8_runs_all_convolutions_in_integers(exported):
    interpreter = Interpreter(model_path=str(exported["litert_int8"]["path"]))
    tensors = {t["index"]: t for t in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()
    convolutions = [o for o in operations if o["op_name"].startswith("CONV")]
    assert {o["op_name"] for o in convolutions} == {"CONV_2D"}
    inputs = {tensors[o["inputs"][0]]["dtype"] for o in convolutions}
    kernels = {tensors[o["inputs"][1]]["dtype"] for o in convolutions}
    assert inputs == kernels == {np.int8}
