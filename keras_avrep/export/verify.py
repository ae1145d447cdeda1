import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from keras_avrep.export.inference_form import (
    INPUT_NAME,
    SIGNATURE,
    check_clips,
)
from keras_avrep.export.onnx import require_onnx

THREADS = 2
TIMED_RUNS = 5
# The converter widens an empty range to 2e-6, 255 steps of about 8e-9.
EMPTY_SCALE = 1e-8


class ExportError(RuntimeError):
    """An exported file does not compute what the Keras model computes.

    Args:
        message: string.
        row: what `export_all` would have returned of the file. Defaults to `None`.
    """

    def __init__(self, message, row=None):
        super().__init__(message)
        self.row = row


def run_saved_model(path: str | Path, clips: np.ndarray) -> tuple[np.ndarray, float]:
    """Features of a SavedModel, as TF Serving would give them.

    Args:
        path: path of the version directory.
        clips: uint8 or float array `(N, T, H, W, 3)` in 0..255.

    Returns:
        `(features, latency)`: float32 array `(N, D)` and the median time of one
        clip in milliseconds.

    Raises:
        FileNotFoundError: if there is no SavedModel at `path`.

    Example:
    ```python
    features, latency = keras_avrep.export.run_saved_model("exported/dclr/1", clips)
    ```
    """
    import tensorflow as tf

    _check_exists(Path(path) / "saved_model.pb")
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures[SIGNATURE]

    def embed(clip):
        return _only(signature(**{INPUT_NAME: tf.constant(clip)})).numpy()

    return _run(embed, clips)


def run_litert(path: str | Path, clips: np.ndarray) -> tuple[np.ndarray, float]:
    """Features of a LiteRT file, on two CPU threads.

    Args:
        path: path of the `.tflite` file.
        clips: uint8 or float array `(N, T, H, W, 3)` in 0..255.

    Returns:
        `(features, latency)`: float32 array `(N, D)` and the median time of one
        clip in milliseconds.

    Raises:
        FileNotFoundError: if there is no file at `path`.
        ImportError: if `ai-edge-litert` is not installed.
        ValueError: if int8 was calibrated on activations that are all zero.

    Example:
    ```python
    features, latency = keras_avrep.export.run_litert("exported/dclr.tflite", clips)
    ```
    """
    if find_spec("ai_edge_litert") is None:
        raise ImportError(
            "Running LiteRT files needs a runtime: install ai-edge-litert."
        )
    from ai_edge_litert.interpreter import Interpreter

    _check_exists(path)
    interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
    _refuse_empty_ranges(interpreter, path)
    interpreter.allocate_tensors()
    signature = interpreter.get_signature_runner(SIGNATURE)
    return _run(lambda clip: _only(signature(**{INPUT_NAME: clip})), clips)


def run_onnx(path: str | Path, clips: np.ndarray) -> tuple[np.ndarray, float]:
    """Features of an ONNX graph under ONNX Runtime, on two CPU threads.

    Args:
        path: path of the `.onnx` file.
        clips: uint8 or float array `(N, T, H, W, 3)` in 0..255.

    Returns:
        `(features, latency)`: float32 array `(N, D)` and the median time of one
        clip in milliseconds.

    Raises:
        FileNotFoundError: if there is no file at `path`.
        ImportError: if the `onnx` extra is not installed.

    Example:
    ```python
    features, latency = keras_avrep.export.run_onnx("exported/dclr.onnx", clips)
    ```
    """
    require_onnx()
    import onnxruntime

    _check_exists(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    return _run(lambda clip: session.run(None, {INPUT_NAME: clip})[0], clips)


def compare(reference: np.ndarray, features: np.ndarray) -> float:
    """Largest absolute difference between two sets of features.

    Args:
        reference: array `(N, D)`.
        features: array `(N, D)`.

    Returns:
        float; NaN when either holds one.

    Raises:
        ValueError: if the shapes differ.

    Example:
    ```python
    features, _ = keras_avrep.export.run_litert("dclr.tflite", clips)
    keras_avrep.export.compare(model.predict(clips), features)  # 1e-6, say
    ```
    """
    reference, features = np.asarray(reference), np.asarray(features)
    if reference.shape != features.shape:
        raise ValueError(
            f"`features` has shape {features.shape} but `reference` has "
            f"{reference.shape}: give the features of the same clips."
        )
    return float(np.max(np.abs(reference.astype("float64") - features)))


def retrieval_agreement(reference: np.ndarray, features: np.ndarray) -> float:
    """Share of clips with the same nearest other clip in both sets.

    Args:
        reference: array `(N, D)` with N of at least 3.
        features: array `(N, D)`.

    Returns:
        float from 0 to 1.

    Raises:
        ValueError: if there are fewer than 3 clips, where the nearest other
            clip says nothing, or the shapes differ.

    Example:
    ```python
    features = np.random.default_rng(0).normal(size=(8, 4))
    keras_avrep.export.retrieval_agreement(features, 2 * features)  # 1.0
    ```
    """
    reference, features = np.asarray(reference), np.asarray(features)
    if len(reference) < 3 or reference.shape != features.shape:
        raise ValueError(
            f"`reference` and `features` have shapes {reference.shape} and "
            f"{features.shape}: give two equal ones of at least 3 clips."
        )
    return float(np.mean(_nearest(reference) == _nearest(features)))


def class_agreement(reference: np.ndarray, logits: np.ndarray) -> float:
    """Share of clips with the same most likely class in both sets.

    Args:
        reference: array `(N, K)`.
        logits: array `(N, K)`.

    Returns:
        float from 0 to 1.

    Example:
    ```python
    keras_avrep.export.class_agreement(np.eye(3), 2 * np.eye(3))  # 1.0
    ```
    """
    return float(np.mean(np.argmax(reference, axis=1) == np.argmax(logits, axis=1)))


def _nearest(features):
    """Index of the most cosine-similar other row."""
    features = features.astype("float64")
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(norms, 1e-12)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return similarity.argmax(axis=1)


def _only(outputs):
    """The value of the one named output."""
    (value,) = outputs.values()
    return value


def _run(embed: Callable, clips: np.ndarray) -> tuple[np.ndarray, float]:
    clips = check_clips(clips)
    # The first run allocates and compiles, and is not what a server sees.
    embed(clips[:1])
    features, times = [], []
    for run in range(max(len(clips), TIMED_RUNS)):
        index = run % len(clips)
        start = time.perf_counter()
        feature = embed(clips[index : index + 1])
        times.append(time.perf_counter() - start)
        if run < len(clips):
            features.append(np.array(feature[0], "float32"))
    return np.stack(features), 1000 * float(np.median(times))


def _refuse_empty_ranges(interpreter, path):
    # XNNPACK cannot run such scales, and at worst ends the process without a word.
    for tensor in interpreter.get_tensor_details():
        scales = tensor["quantization_parameters"]["scales"]
        if tensor["dtype"] is np.int8 and len(scales) == 1 and scales[0] < EMPTY_SCALE:
            raise ValueError(
                f"{path} has activations that were zero on every calibration clip "
                f"({tensor['name']}): calibrate on varied real clips, or look "
                "whether the model has collapsed."
            )


def _check_exists(path):
    if not Path(path).exists():
        raise FileNotFoundError(
            f"{path} does not exist: give the path that the export returned."
        )
