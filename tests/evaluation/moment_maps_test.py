from dataclasses import replace

import numpy as np
import pytest
import tiny_csol
import tiny_ier
from colour_moments import write_solos
from moment_trees import write_pickle

from keras_avrep.evaluation import predict_moments

SECONDS = tiny_csol.SAMPLES / 16000


def with_log_mels(model, records, folder):
    """The same moments, their sounds as spectrograms."""
    changed = []
    for record in records:
        sound = np.load(record.sound)
        middle = (len(sound) - tiny_csol.SAMPLES) // 2
        cut = sound[middle : middle + tiny_csol.SAMPLES]
        samples = {"frame": np.zeros((1, 32, 32, 3)), "audio": cut[None]}
        log_mel = model.inference_inputs("localiser_log_mel", samples)["log_mel"][0]
        path = folder / f"{record.moment_id}.pkl"
        write_pickle(path, log_mel)
        changed.append(replace(record, sound=str(path)))
    return changed


def test_moments_of_either_form_are_heard_alike(tmp_path):
    model = tiny_ier.ready()
    rng = np.random.default_rng(0)
    records = write_solos(tmp_path)
    for record in records:
        np.save(record.sound, rng.uniform(-0.5, 0.5, 16000).astype("float32"))
    spectrograms = with_log_mels(model, records, tmp_path)
    mixed = [records[0], *spectrograms[1:4], *records[4:]]
    whole, heard, both = (
        predict_moments(model, r, 32, SECONDS, batch_size=4)
        for r in (records, spectrograms, mixed)
    )
    for maps in (heard, both):
        assert [r.moment_id for r in maps.records] == [r.moment_id for r in records]
        for name in ("class_maps", "sounding_maps", "audible_scores"):
            expected = getattr(whole, name)
            assert expected.std() > 0
            np.testing.assert_allclose(getattr(maps, name), expected, atol=1e-5)
    shuffled = [
        predict_moments(model, r, 32, SECONDS, batch_size=4, shuffle_sound=0)
        for r in (records, mixed)
    ]
    np.testing.assert_allclose(*(m.audible_scores for m in shuffled), atol=1e-5)
    assert np.abs(shuffled[0].audible_scores - whole.audible_scores).max() > 1e-3


def test_spectrograms_of_another_shape_are_left_out(tmp_path):
    model = tiny_csol.build()
    records = write_solos(tmp_path)[:3]
    write_pickle(tmp_path / "a.pkl", np.zeros((201, 64), np.float32))
    records[1] = replace(records[1], sound=str(tmp_path / "a.pkl"))
    maps = predict_moments(model, records, 32, SECONDS)
    assert [r.moment_id for r in maps.records] == ["red-0", "green-0"]
    (reject,) = maps.rejects
    assert reject["path"] == "red-1"
    assert "(201, 64), the model takes (51, 64)" in reject["reason"]
    with pytest.raises(ValueError, match="None of the 1 moments can be used"):
        predict_moments(model, records[1:2], 32, SECONDS)
