"""A model that hears, from waveform to features, in LiteRT."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_avrep.backbones import AudioResNetBackbone
from keras_avrep.layers import LogMel


def hearing_model(log_mel, samples):
    keras.utils.set_random_seed(0)
    waveform = keras.Input((samples,), batch_size=1, name="audio")
    spectrogram = keras.ops.expand_dims(log_mel(waveform), -1)
    backbone = AudioResNetBackbone([1, 1, 1, 1], width_multiplier=0.0625)
    features = keras.layers.GlobalMaxPooling2D()(backbone(spectrogram / 80.0))
    return keras.Model(waveform, features)


@pytest.mark.parametrize("make_log_mel", [LogMel, LogMel.mov])
def test_from_waveform_to_features_in_litert(tmp_path, make_log_mel):
    model = hearing_model(make_log_mel(), samples=16000)
    model.export(str(tmp_path / "saved"), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    # Built-in operations only: what a phone has without TensorFlow.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert(), num_threads=2)
    runner = interpreter.get_signature_runner("serving_default")
    rng = np.random.default_rng(0)
    for sound in (rng.uniform(-1, 1, (1, 16000)), np.zeros((1, 16000))):
        sound = sound.astype("float32")
        (found,) = runner(audio=sound).values()
        expected = model.predict(sound, verbose=0)
        assert np.isfinite(found).all()
        assert expected.std() > 0.01
        np.testing.assert_allclose(found, expected, atol=1e-4)
