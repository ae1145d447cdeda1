"""The form of a representation that every format is written from."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_avrep.export.fuse import fuse_convolutions

SIGNATURE = "serving_default"
INPUT_NAME = "video"
OUTPUT_NAME = "embedding"


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


def float32_representation(model) -> keras.Model:
    """The representation of a model, computing in float32.

    Args:
        model: a model with a `representation` from pixels `(B, T, H, W, 3)` in
            0..255 to features `(B, D)`.

    Returns:
        The functional `keras.Model` itself, or, where a part has a
        reduced-precision policy, a copy with that part in float32.

    Raises:
        ValueError: if the model has no representation.
    """
    representation = getattr(model, "representation", None)
    if not isinstance(representation, keras.Model):
        raise ValueError(
            f"`model` of type {type(model).__name__} has no `representation`: give "
            "a model of keras_avrep.models."
        )
    return float32_model(representation)


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


def fixed_representation(
    model, clip_shape: Sequence[int], batch_size: int | None = None
) -> keras.Model:
    """The representation for clips of one shape, folded, fused and in float32.

    Args:
        model: a model with a `representation`.
        clip_shape: `(time, height, width, 3)`.
        batch_size: int, or `None` (the default) for any.

    Returns:
        A functional `keras.Model` with the input `video` and its own weights.

    Raises:
        ValueError: if the network cannot take clips of this shape.
    """
    shape = check_clip_shape(clip_shape)
    fused = fuse_convolutions(float32_representation(model))
    video = keras.Input(shape, batch_size=batch_size, name=INPUT_NAME)
    return keras.Model(video, fused(video), name="representation")


def write_signature(fixed: keras.Model, folder: Path) -> None:
    """Write a SavedModel with one signature, from `video` to `embedding`.

    Args:
        fixed: result of `fixed_representation`.
        folder: path of the SavedModel.
    """
    if keras.backend.backend() == "tensorflow":
        save_function(embed(fixed), [input_spec(fixed)], fixed, folder)
        return
    archive = keras.export.ExportArchive()
    archive.track(fixed)
    archive.add_endpoint(SIGNATURE, embed(fixed), input_signature=[input_spec(fixed)])
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


def embed(fixed: keras.Model):
    """A function from `video` to `{"embedding": features}`."""

    def embed_video(video):
        return {OUTPUT_NAME: fixed(video, training=False)}

    return embed_video


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
