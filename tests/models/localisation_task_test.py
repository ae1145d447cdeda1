"""What localisers share: the same answers of waveforms and of their spectrograms."""

import numpy as np
import pytest
import tiny_csol
import tiny_ier

from keras_avrep.export import export_part


def ready_csol():
    """With a dictionary, so that its maps of classes are not all the same."""
    model, rng = tiny_csol.build(), np.random.default_rng(0)
    model.dictionary.set_weights(
        [
            w if w.dtype.kind in "iu" else rng.normal(size=w.shape)
            for w in model.dictionary.get_weights()
        ]
    )
    return model


@pytest.mark.parametrize(
    ("ready", "tiny"), [(ready_csol, tiny_csol), (tiny_ier.ready, tiny_ier)]
)
def test_spectrograms_are_heard_as_the_sound_they_are_of(ready, tiny, tmp_path):
    model, rng = ready(), np.random.default_rng(1)
    batch = tiny.draw_batch(rng, 3)
    batch["frame"] = batch["frame"][:, : tiny_csol.SIZE, : tiny_csol.SIZE]
    models = model.inference_models()
    assert list(models) == ["localiser", "localiser_log_mel"]
    inputs = {name: model.inference_inputs(name, batch) for name in models}
    assert inputs["localiser_log_mel"]["log_mel"].shape == (3, 51, 64)
    expected, found = (
        models[name].predict(inputs[name], verbose=0)
        for name in ("localiser", "localiser_log_mel")
    )
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert array.std() > 0
        np.testing.assert_allclose(found[name], array, atol=1e-5)
    part = "localiser_log_mel"
    rows = export_part(models[part], tmp_path, inputs[part], name="heard")
    assert [row["format"] for row in rows] == ["saved_model", "litert"]
    assert all(row["max_abs_diff"] <= 1e-4 for row in rows)
