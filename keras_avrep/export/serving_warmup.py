"""The warm-up requests that TF Serving replays when it loads a model.

TF Serving reads `assets.extra/tf_serving_warmup_requests`, a TFRecord of
serialised `PredictionLog` messages. Their Python classes live in
`tensorflow-serving-api`, which pins one TensorFlow release, so the few fields
are encoded here by hand:

    PredictionLog   { PredictLog predict_log = 6; }
    PredictLog      { PredictRequest request = 1; }
    PredictRequest  { ModelSpec model_spec = 1; map<string, TensorProto> inputs = 2; }
    ModelSpec       { string name = 1; string signature_name = 3; }

All of them are length-delimited (wire type 2), and a map is a repeated message
with the key in field 1 and the value in field 2.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_avrep.export.inference_form import INPUT_NAME, SIGNATURE

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
LENGTH_DELIMITED = 2


def write_warmup(version_folder: Path, name: str, clips: np.ndarray) -> Path:
    """Write one warm-up request for each clip beside a SavedModel.

    Args:
        version_folder: path of the SavedModel.
        name: string. The model's name in TF Serving.
        clips: float32 array `(N, T, H, W, 3)` in 0..255.

    Returns:
        Path of the record file.

    Example:
    ```python
    write_warmup(Path("served/dclr/1"), "dclr", clips[:1])
    ```
    """
    import tensorflow as tf

    path = Path(version_folder) / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for clip in clips:
            writer.write(prediction_log(name, SIGNATURE, {INPUT_NAME: clip[None]}))
    return path


def prediction_log(
    model_name: str, signature_name: str, inputs: Mapping[str, np.ndarray]
) -> bytes:
    """Encode a `PredictionLog` that holds one prediction request.

    Args:
        model_name: string. The model's name in TF Serving.
        signature_name: string. Signature of the SavedModel to run.
        inputs: dict from input name to array, batch dimension included.

    Returns:
        The serialised message.
    """
    import tensorflow as tf

    model_spec = _field(1, model_name.encode()) + _field(3, signature_name.encode())
    request = _field(1, model_spec)
    for key, array in inputs.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number: int, payload: bytes) -> bytes:
    """One length-delimited field: tag, length, payload."""
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    """Base-128, low group first; the top bit says that more bytes follow."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
