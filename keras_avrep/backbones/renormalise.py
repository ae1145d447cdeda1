"""Pixels as other weights know them, before the first layer of a backbone."""

import keras


def renormalise(pixels, scale, offset):
    """Symbolic pixels times a scale plus an offset; the same pixels without either.

    A layer of its own: in the weights of the stem it would be wrong where that pads.

    Args:
        pixels: Keras tensor `(..., C)`.
        scale: list of C floats, or `None`.
        offset: list of C floats, or `None`.

    Returns:
        Keras tensor of the same shape.
    """
    if scale is None and offset is None:
        return pixels
    channels = pixels.shape[-1]
    return keras.layers.Rescaling(
        list(scale or [1.0] * channels),
        list(offset or [0.0] * channels),
        dtype="float32",
        name="renormalise",
    )(pixels)
