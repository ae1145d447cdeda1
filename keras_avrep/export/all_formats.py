import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_avrep.export.inference_form import (
    REPRESENTATION,
    check_clips,
    check_known,
    float32_part,
)
from keras_avrep.export.litert import export_litert
from keras_avrep.export.onnx import export_onnx, missing_onnx_packages
from keras_avrep.export.saved_model import check_name, export_saved_model
from keras_avrep.export.verify import (
    ExportError,
    class_agreement,
    compare,
    retrieval_agreement,
    run_litert,
    run_onnx,
    run_saved_model,
)

FORMATS = ("saved_model", "litert", "litert_dynamic", "litert_int8", "onnx")
# The others are quantised: their difference is reported, not judged.
FLOAT32_FORMATS = ("saved_model", "litert", "onnx")


def export_all(
    model,
    folder: str | Path,
    clips: np.ndarray,
    *,
    name: str,
    formats: Sequence[str] = FORMATS,
    tolerance: float = 1e-4,
    calibration_clips: np.ndarray | None = None,
    part: str = REPRESENTATION,
    labels: Sequence[str] | None = None,
    version: int = 1,
) -> list[dict]:
    """Write a model in several formats and check each against Keras.

    Every file is loaded by its own runtime and run on the given clips. The
    float32 formats must agree with Keras, computing in float32, within the
    tolerance; quantised ones are measured.

    Args:
        model: a model with a `representation` from pixels `(B, T, H, W, 3)` in
            0..255 to features `(B, D)`.
        folder: path. Gets `NAME/VERSION/`, `NAME.tflite`, `NAME_dynamic.tflite`,
            `NAME_int8.tflite`, `NAME.onnx` and `export.json`, what
            `export_saved_model` writes beside, and with `labels` `NAME_labels.txt`.
        clips: uint8 or float array `(N, T, H, W, 3)` of real clips. They fix the
            clip shape and are what is compared.
        name: string. Names the files and the served model.
        formats: the formats to write. Defaults to `"saved_model"`, `"litert"`,
            `"litert_dynamic"`, `"litert_int8"` and `"onnx"`; the last is left
            out, with a note, when its extra is not installed. On the JAX backend
            only `"saved_model"` can be written.
        tolerance: float. Largest absolute difference of a feature allowed in a
            float32 format; of other parts above a magnitude of 1, relative to it.
            Defaults to `1e-4`.
        calibration_clips: uint8 or float array `(M, T, H, W, 3)` of other clips, of
            the training split, that int8 is calibrated on. Defaults to `None`: on
            `clips`, whose difference then is flattered.
        part: string. Which of the model's `inference_models` is written, such as
            the `"logits"` of a classifier, which then names the output. Defaults
            to `"representation"`.
        labels: class names in the order of the logits. Defaults to `None`.
        version: int above 0, of the SavedModel. TF Serving serves the highest.
            Defaults to `1`.

    Returns:
        List of dicts, also written to `folder/export.json`, with `format`,
        `path` relative to `folder`, `bytes`, `max_abs_diff`, `latency_ms` (one
        clip), `retrieval_agreement` (from 3 clips), or `class_agreement` where
        logits are written, and, where there is something to say, `note`.

    Raises:
        ExportError: if a float32 format differs by more than the tolerance; the
            files stay for inspection, without an `export.json`; its `row` is what
            would have been returned of the file.
        ValueError: if an argument is not as described, or a layer is dead and
            int8 has no range for it.

    Example:
    ```python
    rows = export_all(
        model, "exported", test_clips, name="dclr", calibration_clips=train_clips
    )
    ```
    """
    check_known("formats", formats, FORMATS)
    check_name(name, version)
    clips = check_clips(clips)
    if calibration_clips is None:
        calibration, source = clips, "the compared clips"
    else:
        calibration = check_clips(
            calibration_clips, clips.shape[1:], "calibration_clips"
        )
        source = f"{len(calibration)} other clips"
    folder = Path(folder)
    summary = folder / "export.json"
    summary.unlink(missing_ok=True)
    reference = _reference(model, part, clips)
    rows = []
    for format in formats:
        if format == "onnx" and missing_onnx_packages():
            rows.append(_skipped_onnx())
            continue
        path = _write(model, part, folder, name, version, format, clips, calibration)
        row = _measure(format, part, path, clips, reference)
        row["path"] = path.relative_to(folder).as_posix()
        _judge(row, path, tolerance * _scale(part, reference))
        row.update(_note(model, format, source))
        rows.append(row)
    folder.mkdir(parents=True, exist_ok=True)
    _write_labels(folder / f"{name}_labels.txt", labels)
    summary.write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def _write_labels(path, labels):
    """The classes, a line each; of a model without any none are left from before."""
    path.unlink(missing_ok=True)
    if labels is not None:
        lines = "".join(f"{name}\n" for name in labels)
        path.write_text(lines, encoding="utf-8")


def _reference(model, part, clips):
    inference = float32_part(model, part)
    with _full_float32():
        return inference.predict(clips, batch_size=8, verbose=0)


def _scale(part, reference):
    """Logits have no length of their own: large ones may differ by more."""
    if part == REPRESENTATION:
        return 1.0
    return max(1.0, float(np.abs(reference).max()))


@contextlib.contextmanager
def _full_float32():
    """TF32 on a GPU would differ from the exported file by more than rounding."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow.config import experimental

    before = experimental.tensor_float_32_execution_enabled()
    experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        experimental.enable_tensor_float_32_execution(before)


def _write(model, part, folder, name, version, format, clips, calibration):
    shape = clips.shape[1:]
    if format == "saved_model":
        return export_saved_model(
            model,
            folder,
            name=name,
            clip_shape=shape,
            clips=clips,
            version=version,
            part=part,
        )
    if format == "onnx":
        path = folder / f"{name}.onnx"
        return export_onnx(model, path, clip_shape=shape, part=part)
    quantize = format.removeprefix("litert").removeprefix("_") or None
    suffix = f"_{quantize}" if quantize else ""
    return export_litert(
        model,
        folder / f"{name}{suffix}.tflite",
        clip_shape=shape,
        quantize=quantize,
        calibration_clips=calibration,
        part=part,
    )


def _measure(format, part, path, clips, reference):
    run = {"saved_model": run_saved_model, "onnx": run_onnx}.get(format, run_litert)
    with _full_float32():
        features, latency = run(path, clips)
    row = {
        "format": format,
        "path": None,
        "bytes": _size(path),
        "max_abs_diff": compare(reference, features),
        "latency_ms": round(latency, 3),
    }
    if part != REPRESENTATION:
        row["class_agreement"] = class_agreement(reference, features)
    elif len(clips) >= 3:
        row["retrieval_agreement"] = retrieval_agreement(reference, features)
    return row


def _judge(row, path, tolerance):
    # Written so that a NaN is refused too.
    if row["format"] in FLOAT32_FORMATS and not row["max_abs_diff"] <= tolerance:
        raise ExportError(
            f"The {row['format']} export differs from Keras by "
            f"{row['max_abs_diff']:.3g}, above the tolerance {tolerance:g}: inspect "
            f"{path}, or raise `tolerance` if that is good enough.",
            row,
        )


def _size(path):
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _note(model, format, source):
    """What a reader of the numbers should know about a format."""
    return {"note": f"calibrated on {source}"} if format == "litert_int8" else {}


def _skipped_onnx():
    missing = ", ".join(missing_onnx_packages())
    return {
        "format": "onnx",
        "path": None,
        "note": f"skipped: {missing} missing, install keras-avrep[onnx]",
    }
