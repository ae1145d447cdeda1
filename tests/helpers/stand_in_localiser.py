"""A small localiser whose answers are known: colour and loudness decide."""

import keras
import numpy as np


def build(size=32, num_classes=3, sample_rate=16000, with_scores=False):
    """Cluster k is where the colour channel k is; it sounds where there is sound.

    Of the signature of `LocalisationTask`: `frame` and `waveform` in, `class_maps`
    and `sounding_map` out, with `audible_scores` and `audio_distribution` on
    request.
    """
    frame = keras.Input((size, size, 3), name="frame")
    waveform = keras.Input((sample_rate,), name="waveform")
    cells = keras.layers.AveragePooling2D(size // 8)(frame)
    cells = keras.layers.Rescaling(8 / 255)(cells)
    logits = keras.layers.Conv2D(num_classes, 1, name="colours")(cells)
    loud = keras.layers.Reshape((sample_rate, 1))(waveform)
    loud = keras.layers.GlobalMaxPooling1D()(loud)
    loud = keras.layers.Dense(1, activation="sigmoid", name="loud")(loud)
    bright = keras.layers.Conv2D(1, 1, activation="sigmoid", name="bright")(cells)
    outputs = {
        "class_maps": keras.layers.Softmax(name="class_maps")(logits),
        "sounding_map": bright * keras.layers.Reshape((1, 1, 1))(loud),
    }
    if with_scores:
        pooled = keras.layers.GlobalMaxPooling2D()(logits)
        outputs["audible_scores"] = keras.layers.Activation("sigmoid")(pooled)
        outputs["audio_distribution"] = keras.layers.Softmax()(pooled)
    model = keras.Model({"frame": frame, "waveform": waveform}, outputs)
    kernel = np.zeros((1, 1, 3, num_classes), np.float32)
    kernel[0, 0] = np.eye(3, num_classes)
    model.get_layer("colours").set_weights([kernel, np.zeros(num_classes, np.float32)])
    bright_kernel = np.full((1, 1, 3, 1), 2.0, np.float32)
    model.get_layer("bright").set_weights([bright_kernel, np.full(1, -8, np.float32)])
    loud_weights = np.full((1, 1), 100, np.float32), np.full(1, -10, np.float32)
    model.get_layer("loud").set_weights(loud_weights)
    return model
