from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from keras_avrep.export.inference_form import (
    REPRESENTATION,
    check_clip_shape,
    fixed_part,
    input_spec,
    output_name,
    require_tensorflow,
    serving_function,
)

PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
OPSET = 17


def missing_onnx_packages() -> list[str]:
    """The packages of the `onnx` extra that are not installed.

    Returns:
        List of package names, empty when all are there.
    """
    return [package for package in PACKAGES if find_spec(package) is None]


def require_onnx() -> None:
    """Refuse to go on without the `onnx` extra.

    Raises:
        ImportError: if one of its packages is missing.
    """
    missing = missing_onnx_packages()
    if missing:
        raise ImportError(
            f"ONNX needs {', '.join(missing)}: install keras-avrep[onnx]."
        )


def export_onnx(
    model,
    path: str | Path,
    *,
    clip_shape: Sequence[int],
    part: str = REPRESENTATION,
) -> Path:
    """Write the representation, or another part, of a model as an ONNX graph.

    The graph maps `video`, float32 pixels `(batch, T, H, W, 3)` in 0..255, to
    `embedding`, float32 `(batch, D)`, with any batch size.

    Args:
        model: a model with a `representation`.
        path: path that ends in `.onnx`.
        clip_shape: `(time, height, width, 3)` of the clips, fixed in the graph.
        part: string. Which of the model's `inference_models` is written, such as
            the `"logits"` of a classifier, which then names the output. Defaults
            to `"representation"`.

    Returns:
        Path of the file.

    Raises:
        ImportError: if the `onnx` extra is not installed.
        ValueError: if an argument is not as described.
        RuntimeError: on a backend other than TensorFlow.

    Example:
    ```python
    export_onnx(model, "dclr.onnx", clip_shape=(16, 112, 112, 3))
    ```
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"`path` is {str(path)!r}: ONNX files end in '.onnx'.")
    require_tensorflow("The ONNX export")
    require_onnx()
    import tensorflow as tf
    import tf2onnx

    fixed = fixed_part(model, check_clip_shape(clip_shape), part=part)
    signature = [input_spec(fixed)]
    serve = serving_function(fixed, output_name(part))
    function = tf.function(serve, input_signature=signature, autograph=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    tf2onnx.convert.from_function(
        function, input_signature=signature, opset=OPSET, output_path=str(path)
    )
    return path
