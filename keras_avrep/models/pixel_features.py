"""From pixels to pooled features: the inference part that every system shares."""

import keras
from keras import ops

from keras_avrep.views.augment import IMAGENET_MEAN, IMAGENET_STD

# What torchvision's networks for video were trained with.
KINETICS_MEAN = (0.43216, 0.394666, 0.37645)
KINETICS_STD = (0.22803, 0.22145, 0.216989)


def pixel_features(backbone):
    """Symbolic pixels and the pooled features of a backbone.

    All systems normalise pixels alike, so that any of their backbones can be
    taken over by a classifier.

    Args:
        backbone: video backbone from `(B, T, H, W, 3)` to one map
            `(B, t, h, w, C)`.

    Returns:
        The input `video` `(B, T, H, W, 3)`, 0 to 255, the feature map, and the
        float32 features `(B, C)`, as Keras tensors.

    Example:
    ```python
    video, feature_map, features = pixel_features(backbone)
    representation = keras.Model(video, features)
    ```
    """
    video = keras.Input(shape=backbone.input_shape[1:], name="video")
    feature_map = backbone(normalise_layer()(video))
    pool = keras.layers.GlobalAveragePooling3D(dtype="float32", name="embedding")
    return video, feature_map, pool(feature_map)


def maps_in_one_batch(backbone, inputs):
    """Feature maps of several kinds of input, as a training step computes them.

    A backbone's own batch norm is set to whole RGB clips in the end, and knows nothing
    of frozen frames and differences; here it has the statistics of this batch, which
    are forgotten again.

    Args:
        backbone: video backbone.
        inputs: dict from kind to normalised clips `(N, T, H, W, 3)`.

    Returns:
        Dict from kind to maps `(N, t, h, w, C)`.

    Example:
    ```python
    maps = maps_in_one_batch(model.backbone, model.map_inputs(rgb))
    ```
    """
    before = [ops.copy(v) for v in backbone.non_trainable_variables]
    stacked = ops.concatenate(list(inputs.values()), axis=0)
    maps = ops.split(backbone(stacked, training=True), len(inputs), axis=0)
    for variable, value in zip(backbone.non_trainable_variables, before, strict=True):
        variable.assign(value)
    return dict(zip(inputs, maps, strict=True))


def renormalisation(mean, std):
    """Arguments of a backbone whose weights know another normalisation.

    All systems and commands normalise pixels with ImageNet's mean and deviation.
    With these arguments a `VideoResNetBackbone` or an `ImageResNetBackbone` makes
    the other one of it first, so that its weights see what they were trained on, from
    pixels.

    Args:
        mean: 3 floats, of pixels from 0 to 1, that the weights were trained with.
        std: 3 floats, their standard deviation.

    Returns:
        Dict of `input_scale` and `input_offset`, lists of 3 floats.

    Example:
    ```python
    arguments = infer_backbone_arguments(weights)
    backbone = VideoResNetBackbone(
        **arguments, **renormalisation(KINETICS_MEAN, KINETICS_STD)
    )
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 2.3.
    """
    channels = list(zip(mean, std, IMAGENET_MEAN, IMAGENET_STD, strict=True))
    return {
        "input_scale": [ours / s for _, s, _, ours in channels],
        "input_offset": [(ours - m) / s for m, s, ours, _ in channels],
    }


def normalise_layer(name="normalise"):
    """The layer from pixels, 0 to 255, to normalised float32 values."""
    scale = [1 / (255 * s) for s in IMAGENET_STD]
    offset = [-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name=name)
