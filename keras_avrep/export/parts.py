"""Models with several named inputs or outputs: concepts, regions, steps."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_avrep.export.inference_form import (
    SIGNATURE,
    check_known,
    float32_model,
    require_tensorflow,
    save_function,
)
from keras_avrep.export.part_readme import write_part_readme
from keras_avrep.export.saved_model import (
    check_name,
    version_folder,
    write_models_config,
)
from keras_avrep.export.verify import ExportError

PART_FORMATS = ("saved_model", "litert")


def export_part(
    model: keras.Model,
    folder: str | Path,
    inputs: dict[str, np.ndarray],
    *,
    name: str,
    formats: Sequence[str] = PART_FORMATS,
    tolerance: float = 1e-4,
    open_axes: dict[str, int] | None = None,
    version: int = 1,
) -> list[dict]:
    """Write an inference model of a system, and check each file against Keras.

    Args:
        model: functional model with named inputs, and one output or a dict of
            them; one of a system's `inference_models`.
        folder: path. Gets `NAME/VERSION/`, `NAME.tflite`, and `NAME.md` that says what
            they take and give, also in `README.md` where models are served.
        inputs: dict from input name to an array `(N, ...)` of real examples.
            They fix the shapes and are what is compared.
        name: string. Names the files and the served model.
        formats: `"saved_model"`, with any batch size, and `"litert"`, float32
            for one example at a time. Defaults to both.
        tolerance: float. Largest absolute difference of an output allowed, for
            outputs of a magnitude up to 1; above, relative to it. Defaults to
            `1e-4`.
        open_axes: dict from input name to the number of an axis, the batch being
            0, whose length the SavedModel leaves open; a LiteRT file has that of
            the examples. A system's `open_axes` says them. Defaults to `None`.
        version: int above 0. TF Serving serves the highest. Defaults to `1`.

    Returns:
        List of dicts of `format`, `path`, `bytes`, `max_abs_diff`, and `inputs` and
        `outputs`, the shapes by name, `None` where any length goes.

    Raises:
        ValueError: if `inputs` does not name the model's inputs, `formats` and
            `open_axes` name others than there are, or files and a URL cannot be
            called `name`.
        ExportError: if a file differs by more than the tolerance.
        RuntimeError: on a backend other than TensorFlow.

    Example:
    ```python
    steps = model.inference_models()["steps"]
    export_part(steps, "exported", {"video": clips}, name="teg_steps")
    regions = const_cl.inference_models()["region_features"]
    examples = const_cl.inference_inputs("region_features", clips)
    export_part(regions, "exported", examples, name="r", open_axes={"boxes": 1})
    ```
    """
    require_tensorflow("The export of a model part")
    check_name(name, version)
    names = [tensor.name for tensor in model.inputs]
    if sorted(names) != sorted(inputs):
        raise ValueError(f"`inputs` has {sorted(inputs)}; the model takes {names}.")
    check_known("formats", formats, WRITERS)
    check_known("open_axes", open_axes or (), names)
    inputs = {n: np.asarray(inputs[n]).astype("float32") for n in names}
    model = float32_model(model)
    expected = as_dict(model.predict(_call_form(model, inputs), verbose=0))
    rows = []
    for format in formats:
        shapes = input_shapes(inputs, format, open_axes or {})
        fixed = _fixed(model, shapes, None if format == "saved_model" else 1)
        path = WRITERS[format](fixed, Path(folder), name, version)
        found = READERS[format](path, inputs)
        difference = max(_difference(expected[key], found[key]) for key in expected)
        if not difference <= tolerance:
            raise ExportError(
                f"The {format} export of {name} differs from Keras by "
                f"{difference:.3g}, above the tolerance {tolerance:g}: inspect {path}."
            )
        files = [path] if path.is_file() else path.rglob("*")
        rows.append(
            {
                "format": format,
                "path": path.relative_to(folder).as_posix(),
                "bytes": sum(f.stat().st_size for f in files if f.is_file()),
                "max_abs_diff": difference,
                "inputs": shapes,
                "outputs": {
                    key: output_shape(x, fixed.output[key])
                    for key, x in expected.items()
                },
            }
        )
    write_part_readme(Path(folder), name, rows)
    return rows


def input_shapes(inputs, format, open_axes) -> dict:
    """Shapes that a format takes, the batch aside, `None` for any length."""
    shapes = {name: list(array.shape[1:]) for name, array in inputs.items()}
    if format == "saved_model":
        for name, axis in open_axes.items():
            shapes[name][axis - 1] = None
    return shapes


def output_shape(array, symbolic) -> list:
    """Shape of an output, the batch aside, `None` where any length goes."""
    shape = list(array.shape[1:])
    if len(symbolic.shape) != array.ndim:
        # Of a model of a list of inputs, Keras may infer shapes in another order.
        return shape
    return [n if m else None for n, m in zip(shape, symbolic.shape[1:], strict=True)]


def as_dict(outputs, name="output") -> dict:
    """Outputs by name, also of a model that has just one."""
    return outputs if isinstance(outputs, dict) else {name: outputs}


def _difference(expected, found):
    scale = max(1.0, float(np.abs(expected).max()))
    return float(np.abs(expected.astype("float64") - found).max()) / scale


def _call_form(model, inputs):
    # Functional models with one input take the tensor itself.
    return inputs if len(model.inputs) > 1 else next(iter(inputs.values()))


def _fixed(model, shapes, batch_size):
    """The model for inputs of some shapes, its outputs by name."""
    symbolic = {
        name: keras.Input(shape, batch_size=batch_size, name=name)
        for name, shape in shapes.items()
    }
    return keras.Model(symbolic, as_dict(model(_call_form(model, symbolic))))


def _write_archive(fixed, path):
    import tensorflow as tf

    names = list(fixed.input)
    specs = [
        tf.TensorSpec(fixed.input[name].shape, "float32", name=name) for name in names
    ]

    def serve(*tensors):
        return fixed(dict(zip(names, tensors, strict=True)), training=False)

    save_function(serve, specs, fixed, path)


def _write_saved_model(fixed, folder, name, version):
    with version_folder(folder, name, version) as (path, partial):
        _write_archive(fixed, partial)
    write_models_config(folder)
    return path


def _write_litert(fixed, folder, name, version):
    import tempfile

    import tensorflow as tf

    with tempfile.TemporaryDirectory() as scratch:
        _write_archive(fixed, scratch)
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        converter.experimental_enable_resource_variables = False
        content = converter.convert()
    path = folder / f"{name}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _read_saved_model(path, inputs):
    import tensorflow as tf

    signature = tf.saved_model.load(str(path)).signatures[SIGNATURE]
    found = signature(**{name: tf.constant(x) for name, x in inputs.items()})
    return {name: tensor.numpy() for name, tensor in found.items()}


def _read_litert(path, inputs):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(SIGNATURE)
    count = len(next(iter(inputs.values())))
    rows = [
        {k: np.array(v[0]) for k, v in runner(**_example(inputs, i)).items()}
        for i in range(count)
    ]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _example(inputs, index):
    return {name: x[index : index + 1] for name, x in inputs.items()}


WRITERS = {"saved_model": _write_saved_model, "litert": _write_litert}
READERS = {"saved_model": _read_saved_model, "litert": _read_litert}
