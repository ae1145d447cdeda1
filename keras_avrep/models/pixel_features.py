"""From pixels to pooled features: the inference part that every system shares."""

import keras

from keras_avrep.views.augment import IMAGENET_MEAN, IMAGENET_STD


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


def normalise_layer(name="normalise"):
    """The layer from pixels, 0 to 255, to normalised float32 values."""
    scale = [1 / (255 * s) for s in IMAGENET_STD]
    offset = [-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name=name)
