import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.export import export_saved_model
from keras_avrep.models import DCLR, VideoClassifier

CLIP = (4, 32, 32, 3)

# (message, field, number, type); the published definitions of TF Serving.
FIELDS = [
    ("ModelSpec", "name", 1, "string"),
    ("ModelSpec", "signature_name", 3, "string"),
    ("Input", "key", 1, "string"),
    ("Input", "value", 2, ".tensorflow.TensorProto"),
    ("PredictRequest", "model_spec", 1, ".check.ModelSpec"),
    ("PredictRequest", "inputs", 2, ".check.Input"),
    ("PredictLog", "request", 1, ".check.PredictRequest"),
    ("PredictionLog", "predict_log", 6, ".check.PredictLog"),
]

OTHER_BACKEND = """
import sys
from types import SimpleNamespace
import keras
import numpy as np
from keras_avrep.export import export_litert, export_saved_model, run_saved_model
from keras_avrep.layers import FoldedConv3D

video = keras.Input((None, None, None, 3))
x = FoldedConv3D(8, (1, 3, 3), strides=(1, 2, 2))(video)
x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
features = keras.layers.GlobalAveragePooling3D()(x)
model = SimpleNamespace(representation=keras.Model(video, features))
try:
    export_litert(model, "a.tflite", clip_shape=(2, 16, 16, 3))
except RuntimeError as error:
    print(error)
path = export_saved_model(model, sys.argv[1], name="m", clip_shape=(2, 16, 16, 3))
clips = np.random.default_rng(0).uniform(0, 255, (3, 2, 16, 16, 3)).astype("float32")
features, _ = run_saved_model(path, clips)
expected = model.representation.predict(clips, verbose=0)
np.testing.assert_allclose(features, expected, atol=1e-4)
print("exported")
"""


def prediction_log_class():
    """Parser of the log, made by protobuf from the published field numbers."""
    file = descriptor_pb2.FileDescriptorProto(name="check.proto", package="check")
    file.syntax = "proto3"
    file.dependency.append("tensorflow/core/framework/tensor.proto")
    messages = {}
    for message, field, number, kind in FIELDS:
        if message not in messages:
            messages[message] = file.message_type.add(name=message)
        added = messages[message].field.add(name=field, number=number)
        added.label = added.LABEL_REPEATED if field == "inputs" else 1
        added.type = added.TYPE_STRING if kind == "string" else added.TYPE_MESSAGE
        if kind != "string":
            added.type_name = kind
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("check.PredictionLog")
    )


@pytest.fixture(scope="module")
def model():
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return DCLR(backbone, hidden_dim=8, projection_dim=8, queue_size=8)


@pytest.fixture(scope="module")
def clips():
    return np.random.default_rng(0).integers(0, 256, (5, *CLIP), "uint8")


@pytest.fixture(scope="module")
def served(model, clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    return export_saved_model(model, folder, name="m", clip_shape=CLIP, clips=clips)


@pytest.mark.parametrize("batch", [1, 3])
def test_any_batch_size_is_served(served, model, clips, batch):
    video = clips[:batch].astype("float32")
    signature = tf.saved_model.load(str(served)).signatures["serving_default"]
    (spec,) = signature.structured_input_signature[1].values()
    assert spec.name == "video" and spec.shape.as_list() == [None, *CLIP]
    outputs = signature(video=tf.constant(video))
    assert list(outputs) == ["embedding"]
    np.testing.assert_allclose(
        outputs["embedding"], model.representation.predict(video, verbose=0), atol=1e-5
    )


def test_warmup_requests_parse_back_and_run(served, clips):
    path = served / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    assert len(records) == 4
    log_class = prediction_log_class()
    signature = tf.saved_model.load(str(served)).signatures["serving_default"]
    for record, clip in zip(records, clips, strict=False):
        log = log_class.FromString(record)
        assert log.SerializeToString() == record  # no field is unknown
        request = log.predict_log.request
        assert request.model_spec.name == "m"
        assert request.model_spec.signature_name == "serving_default"
        (entry,) = request.inputs
        video = tf.make_ndarray(entry.value)
        np.testing.assert_array_equal(video, clip[None].astype("float32"))
        assert np.isfinite(signature(**{entry.key: video})["embedding"]).all()


def test_folder_is_laid_out_for_serving_and_keeps_other_models(served, model):
    folder = served.parent.parent
    for _ in range(2):  # the second replaces the first
        path = export_saved_model(
            model, folder, name="other", clip_shape=CLIP, version=2
        )
    assert path == folder / "other" / "2"
    assert [version.name for version in path.parent.iterdir()] == ["2"]
    config = (folder / "models.config").read_text()
    assert config.count("config {") == 2 and config.count("{") == config.count("}")
    assert 'base_path: "/models/m"' in config
    readme = (folder / "README.md").read_text()
    assert "docker run" in readme and "/v1/models/other:predict" in readme
    assert "(4, 32, 32, 3)" in readme
    # The model of before is still told of, and each once.
    assert readme.count("\n## m\n") == readme.count("\n## other\n") == 1
    assert "`m/1/`" in readme and "`other/2/`" in readme
    assert "/v1/models/m:predict" in readme
    assert "Serving itself was never run" in readme


def test_a_readme_names_models_that_left_no_description(model, tmp_path):
    for name in ("old", "new"):
        export_saved_model(model, tmp_path, name=name, clip_shape=CLIP)
        # As an export of before wrote it.
        (tmp_path / "old.md").unlink(missing_ok=True)
    readme = (tmp_path / "README.md").read_text()
    assert "# Serving new, old\n" in readme and "## old\n\nExport it again" in readme
    assert "/v1/models/new:predict" in readme


def test_a_served_classifier_says_what_it_gives(model, tmp_path):
    classifier = VideoClassifier(model.backbone, 7)
    path = export_saved_model(
        classifier, tmp_path, name="sport", clip_shape=CLIP, part="logits"
    )
    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    (output,) = signature.structured_outputs.items()
    assert output[0] == "logits" and output[1].shape.as_list() == [None, 7]
    readme = (tmp_path / "README.md").read_text()
    assert "gives `logits`, float32 of shape\n(batch, 7): one logit for" in readme
    assert "`sport_labels.txt`" in readme and "embedding" not in readme


def test_wrong_names_versions_and_clips_are_refused(model, clips, tmp_path):
    for wrong in ({"name": "a/b"}, {"version": 0}, {"clips": clips[:, :2]}):
        arguments = {"name": "m", "clip_shape": CLIP, **wrong}
        with pytest.raises(ValueError, match=next(iter(wrong))):
            export_saved_model(model, tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def run_backend(backend, *arguments):
    return subprocess.run(
        [sys.executable, "-c", OTHER_BACKEND, *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )


def test_jax_writes_a_saved_model_and_refuses_litert(tmp_path):
    done = run_backend("jax", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "does not run on the jax backend" in done.stdout
    assert "exported" in done.stdout


def test_torch_says_to_export_under_tensorflow(tmp_path):
    done = run_backend("torch", tmp_path)
    assert done.returncode != 0
    assert "export it under KERAS_BACKEND=tensorflow" in done.stderr
    assert not list(tmp_path.iterdir())
