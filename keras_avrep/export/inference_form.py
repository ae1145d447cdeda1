"""The form of a model that every format is written from."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_avrep.export.fuse import fuse_convolutions

SIGNATURE = "serving_default"
INPUT_NAME = "video"
REPRESENTATION = "representation"


def check_clip_shape(clip_shape: Sequence[int]) -> tuple[int, int, int, int]:
    """Return `clip_shape` as a tuple of 4 ints.

    Args:
        clip_shape: `(time, height, width, 3)`, all fixed.

    Returns:
        Tuple of 4 ints.

    Raises:
        ValueError: if it is anything else.
    """
    shape = tuple(clip_shape)
    fixed = all(isinstance(size, (int, np.integer)) and size > 0 for size in shape)
    if len(shape) != 4 or not fixed or shape[-1] != 3:
        raise ValueError(
            f"`clip_shape` is {shape}: give the four fixed sizes "
            "(time, height, width, 3)."
        )
    return tuple(int(size) for size in shape)


def check_known(argument, names, known) -> None:
    """Raise, in one sentence, if an argument names what is not there."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"`{argument}` names {unknown}: choose among {', '.join(known)}."
        )


def check_clips(
    clips, clip_shape: Sequence[int] | None = None, argument: str = "clips"
) -> np.ndarray:
    """Return clips as float32 pixels, after a look at their shape.

    Args:
        clips: uint8 or float array `(N, T, H, W, 3)` in 0..255.
        clip_shape: `(T, H, W, 3)` that each clip has to have. Defaults to any.
        argument: string. What errors call the clips.

    Returns:
        float32 array `(N, T, H, W, 3)`.

    Raises:
        ValueError: if there is no clip or the shape is another.
    """
    clips = np.asarray(clips)
    wanted = tuple(clip_shape) if clip_shape is not None else clips.shape[1:]
    if clips.ndim != 5 or not len(clips) or clips.shape[1:] != wanted:
        sizes = ", ".join(map(str, wanted)) if clip_shape is not None else "T, H, W, 3"
        raise ValueError(
            f"`{argument}` has shape {clips.shape}: give at least one clip as an "
            f"array (N, {sizes})."
        )
    return clips.astype("float32")


def require_tensorflow(task: str) -> None:
    """Refuse a conversion that only the TensorFlow backend can do.

    Args:
        task: string. What was asked for, the subject of the error.

    Raises:
        RuntimeError: on any other Keras backend.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            f"{task} does not run on the {backend} backend: save the model with "
            "`save_to_preset` and export it under KERAS_BACKEND=tensorflow."
        )


def output_name(part: str = REPRESENTATION) -> str:
    """What the one output of an exported part is called.

    Args:
        part: string. Defaults to `"representation"`.

    Returns:
        `"embedding"` for the representation, the part's own name for others.
    """
    return "embedding" if part == REPRESENTATION else part


def float32_part(model, part: str = REPRESENTATION) -> keras.Model:
    """An inference model of a model, computing in float32.

    Args:
        model: a model with a `representation` from pixels `(B, T, H, W, 3)` in
            0..255 to features `(B, D)`.
        part: string. Which of its `inference_models` is taken, one from pixels to
            numbers `(B, D)`. Defaults to `"representation"`.

    Returns:
        The functional `keras.Model` itself, or, where a part of it has a
        reduced-precision policy, a copy with that part in float32.

    Raises:
        ValueError: if the model has no such part.
    """
    if part == REPRESENTATION:
        found = getattr(model, REPRESENTATION, None)
    else:
        models = getattr(model, "inference_models", dict)()
        found = models.get(part)
    if not isinstance(found, keras.Model):
        raise ValueError(
            f"`model` of type {type(model).__name__} has no `{part}`: give a model of "
            "keras_avrep.models, and one of its `inference_models`."
        )
    return float32_model(found)


def float32_model(model: keras.Model) -> keras.Model:
    """A functional model that computes in float32: itself, or a copy.

    Args:
        model: functional `keras.Model`.

    Returns:
        `keras.Model` of the same weights.
    """
    if all(_is_float32(layer) for layer in model.layers):
        return model
    copy = keras.models.clone_model(model, clone_function=_to_float32)
    copy.set_weights(model.get_weights())
    return copy


def fixed_part(
    model,
    clip_shape: Sequence[int],
    batch_size: int | None = None,
    part: str = REPRESENTATION,
) -> keras.Model:
    """An inference model for clips of one shape, folded, fused and in float32.

    Args:
        model: a model with a `representation`.
        clip_shape: `(time, height, width, 3)`.
        batch_size: int, or `None` (the default) for any.
        part: string. As of `float32_part`. Defaults to `"representation"`.

    Returns:
        A functional `keras.Model` with the input `video` and its own weights.

    Raises:
        ValueError: if the network cannot take clips of this shape.
    """
    shape = check_clip_shape(clip_shape)
    fused = fuse_convolutions(float32_part(model, part))
    video = keras.Input(shape, batch_size=batch_size, name=INPUT_NAME)
    return keras.Model(video, fused(video), name=part)


def write_signature(
    fixed: keras.Model, folder: Path, output: str = output_name()
) -> None:
    """Write a SavedModel with one signature, from `video` to one named output.

    Args:
        fixed: result of `fixed_part`.
        folder: path of the SavedModel.
        output: string. Defaults to `"embedding"`.
    """
    serve, spec = serving_function(fixed, output), input_spec(fixed)
    if keras.backend.backend() == "tensorflow":
        save_function(serve, [spec], fixed, folder)
        return
    archive = keras.export.ExportArchive()
    archive.track(fixed)
    archive.add_endpoint(SIGNATURE, serve, input_signature=[spec])
    archive.write_out(str(folder), verbose=False)


def save_function(function, specs, model: keras.Model, folder: Path) -> None:
    """Write a SavedModel of one function and the variables of a model.

    The model's layers are not in it, so that none of them is traced on its own,
    which takes many times longer than the function.

    Args:
        function: from tensors to a dict of tensors.
        specs: list of `tf.TensorSpec`, one an argument.
        model: whose variables the function reads; on the TensorFlow backend.
        folder: path of the SavedModel.
    """
    import tensorflow as tf

    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    module.serve = tf.function(function, input_signature=specs, autograph=False)
    signatures = {SIGNATURE: module.serve}
    tf.saved_model.save(module, str(folder), signatures)


def serving_function(fixed: keras.Model, output: str = output_name()):
    """A function from `video` to a dict of the one named output."""

    def serve(video):
        return {output: fixed(video, training=False)}

    return serve


def input_spec(fixed: keras.Model):
    """The `tf.TensorSpec` of the one input."""
    import tensorflow as tf

    return tf.TensorSpec(fixed.input_shape, "float32", name=INPUT_NAME)


def _is_float32(layer):
    return all(
        part.compute_dtype in ("float32", None) for part in layer._flatten_layers()
    )


def _to_float32(layer):
    config = layer.get_config()
    # A graph holds operations as well, which have no policy.
    if isinstance(layer, keras.layers.Layer) and not _is_float32(layer):
        config["dtype"] = "float32"
        copy = type(layer).from_config(config)
        if _is_float32(copy):
            return copy
        # A plain model within the graph: each of its layers has a policy of its own.
        return keras.models.clone_model(layer, clone_function=_to_float32)
    return type(layer).from_config(config)
