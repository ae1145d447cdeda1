"""Spectrograms, the network over them and mixtures, on one backend.

Argument: FOLDER. Writes `sound.npz`, arrays to be compared between backends, into it.
"""

import sys

import keras
import numpy as np
from keras import ops

from keras_avrep.backbones import AudioResNetBackbone
from keras_avrep.layers import LogMel
from keras_avrep.views import MixCurriculum, VolumeMixer


def main(path):
    rng = np.random.default_rng(0)
    waveforms = rng.uniform(-1, 1, (4, 4000)).astype("float32")
    waveforms[3] = 0
    arrays = {
        "csol": LogMel()(waveforms),
        "ssw60": LogMel.ssw60()(waveforms),
        "mov": LogMel.mov()(waveforms),
        **curriculum_arrays(),
        **mixture_arrays(waveforms),
        **trained_arrays(rng, waveforms),
    }
    np.savez(path, **{k: ops.convert_to_numpy(v) for k, v in arrays.items()})


def curriculum_arrays():
    return {
        f"curriculum_{batches}_{name}": value
        for batches in (0, 45, 90)
        for name, value in MixCurriculum(100)(batches).items()
    }


def mixture_arrays(waveforms):
    """Draws differ by backend: only what holds of every draw is kept."""
    mixed = VolumeMixer.ier(seed=0)(waveforms, **MixCurriculum(100)(90))
    mixed = {name: ops.convert_to_numpy(value) for name, value in mixed.items()}
    stems = waveforms[mixed["sources"]]
    again = np.einsum("bn,bns->bs", mixed["scales"], stems)
    return {
        "mixture_error": np.abs(mixed["mixture"] - again).max(),
        "silence_stays": mixed["present"][3].sum(),
        "mixture_peak_is_kept": np.abs(mixed["mixture"]).max() <= 0.99 + 1e-6
        or mixed["present"].sum(axis=1).min() == 1,
    }


def trained_arrays(rng, waveforms):
    """Features, and weights after a step from drawn weights."""
    inputs = keras.Input((4000,))
    backbone = AudioResNetBackbone([1, 1, 1, 1], width_multiplier=0.0625)
    spectrogram = ops.expand_dims(LogMel()(inputs), -1) / 80.0
    features = keras.layers.GlobalAveragePooling2D()(backbone(spectrogram))
    model = keras.Model(inputs, features)
    model.set_weights(
        [
            np.abs(w) + 0.1 * np.abs(rng.normal(size=w.shape))
            if w.ndim == 1
            else w * 0 + 0.1 * rng.normal(size=w.shape)
            for w in model.get_weights()
        ]
    )
    jit_compile = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
    before = model.predict_on_batch(waveforms)
    model.train_on_batch(waveforms, np.ones(before.shape, "float32"))
    weights = {f"weight_{i:02d}": w for i, w in enumerate(model.get_weights())}
    return {"features": before, **weights}


if __name__ == "__main__":
    main(f"{sys.argv[1]}/sound.npz")
