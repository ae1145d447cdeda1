import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_avrep.export.inference_form import (
    REPRESENTATION,
    check_clip_shape,
    check_clips,
    fixed_part,
    output_name,
    require_tensorflow,
    write_signature,
)

QUANTIZATIONS = (None, "dynamic", "int8")


def export_litert(
    model,
    path: str | Path,
    *,
    clip_shape: Sequence[int],
    quantize: str | None = None,
    calibration_clips: np.ndarray | None = None,
    part: str = REPRESENTATION,
) -> Path:
    """Write the representation, or another part, of a model as a LiteRT flatbuffer.

    The file takes one clip at a time, float32 pixels `video`
    `(1, T, H, W, 3)` in 0..255, and gives float32 `embedding` `(1, D)`, whatever
    the quantisation. Convolutions are folded and fused first: all become 2-D
    convolutions with their batch norm and ReLU inside, which LiteRT runs and
    quantises well.

    Args:
        model: a model with a `representation`.
        path: path that ends in `.tflite`.
        clip_shape: `(time, height, width, 3)` of the clip.
        quantize: `None` for float32; `"dynamic"` for int8 weights with
            activations measured at run time; `"int8"` for int8 weights and
            activations, with ranges calibrated on clips. Defaults to `None`.
        calibration_clips: uint8 or float array `(N, T, H, W, 3)` of real clips
            for `"int8"`, 50 to 200 of them from the training split.
        part: string. Which of the model's `inference_models` is written, such as
            the `"logits"` of a classifier, which then names the output. Defaults
            to `"representation"`.

    Returns:
        Path of the file.

    Raises:
        ValueError: if an argument is not as described.
        RuntimeError: on a backend other than TensorFlow.

    Example:
    ```python
    export_litert(
        model,
        "dclr_int8.tflite",
        clip_shape=(16, 112, 112, 3),
        quantize="int8",
        calibration_clips=clips,
    )
    ```
    """
    path = Path(path)
    if path.suffix != ".tflite":
        raise ValueError(f"`path` is {str(path)!r}: LiteRT files end in '.tflite'.")
    if quantize not in QUANTIZATIONS:
        raise ValueError(
            f"`quantize` is {quantize!r}: choose one of {list(QUANTIZATIONS)}."
        )
    if quantize == "int8" and calibration_clips is None:
        raise ValueError(
            "`calibration_clips` is missing: int8 needs real clips to measure the "
            "ranges of the activations."
        )
    require_tensorflow("The LiteRT export")
    shape = check_clip_shape(clip_shape)
    fixed = fixed_part(model, shape, batch_size=1, part=part)
    # Converting from a concrete function leaves the variables of Keras out of
    # the file; converting from a SavedModel freezes them into it.
    with tempfile.TemporaryDirectory() as folder:
        write_signature(fixed, folder, output_name(part))
        converter = _converter(folder)
        if quantize is not None:
            _quantize(converter)
        if quantize == "int8":
            clips = check_clips(calibration_clips, shape, "calibration_clips")
            _calibrate(converter, clips)
        flatbuffer = converter.convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(flatbuffer)
    return path


def _converter(folder):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = False
    return converter


def _quantize(converter):
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _calibrate(converter, clips):
    import tensorflow as tf

    def samples():
        for clip in clips:
            yield [clip[None]]

    converter.representative_dataset = samples
    # What the converter finds no integer kernel for falls back to float, such as
    # strided 1x1 convolutions behind slices in time.
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ]
