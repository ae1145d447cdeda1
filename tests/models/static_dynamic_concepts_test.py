import keras
import numpy as np
import pytest
import tiny_static_dynamic_concepts as tiny
from keras import ops

from keras_avrep.models import StaticDynamicConcepts, StaticDynamicConceptsViews
from keras_avrep.models.static_dynamic_concepts import concepts_terms


def to_numpy(x):
    return ops.convert_to_numpy(x)


def losses_of(model, rng=0):
    views = {
        name: ops.convert_to_tensor(x)
        for name, x in tiny.draw_views(np.random.default_rng(rng)).items()
    }
    _, losses = model.query_losses(views, {}, None)
    return {name: float(to_numpy(x)) for name, x in losses.items()}


def test_fit_moves_everything_and_survives_a_preset(tmp_path):
    model = tiny.build()
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
    rng = np.random.default_rng(0)
    before = model.get_weights()
    batches = ((tiny.draw_batch(rng),) for _ in range(2))
    history = model.fit(batches, steps_per_epoch=2, verbose=0).history
    assert {f"loss_{name}" for name in model.loss_weights} < history.keys()
    assert np.isfinite([v[0] for v in history.values()]).all()
    moved = [
        np.abs(a - b).max() > 0
        for a, b in zip(before, model.get_weights(), strict=True)
    ]
    assert np.mean(moved) > 0.9
    assert int(to_numpy(model.queue.count)) == 8
    model.save_to_preset(str(tmp_path))
    loaded = StaticDynamicConcepts.from_preset(str(tmp_path))
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_terms_start_where_the_note_says():
    losses = losses_of(tiny.build())
    # |V| = 4 views agree on 4 static and 3 dynamic concepts.
    assert losses["static"] == pytest.approx(np.log(4), abs=3)
    assert -np.log(4) - np.log(3) <= losses["entropy"] <= 0
    assert -3 <= losses["fidelity"] <= 3
    # Four terms divided by two: v-s weighs double.
    rng = np.random.default_rng(0)
    same = rng.normal(size=(1, 1, 8)) / 3 + np.zeros((16, 2, 1))
    same = (same / np.linalg.norm(same, axis=-1, keepdims=True)).astype("float32")
    heads = dict.fromkeys(concepts_terms.HEAD_MODES, same)
    vv, vs = (
        float(to_numpy(concepts_terms.contrast(term, heads, 0.07)))
        for term in ("vv", "vs")
    )
    assert vv == pytest.approx(np.log(16), abs=1e-4)
    assert vs == pytest.approx(2 * np.log(16), abs=1e-4)


def test_the_bank_is_frozen_and_the_queue_left_out_at_first():
    model = tiny.build(freeze_bank_for=2)
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    bank = model.banks["rgb"].table
    rng = np.random.default_rng(0)
    history = [to_numpy(bank).copy()]
    for _ in range(3):
        model.train_on_batch(tiny.draw_batch(rng))
        history.append(to_numpy(bank).copy())
    np.testing.assert_array_equal(history[0], history[2])
    assert np.abs(history[3] - history[2]).max() > 0


def test_the_queue_changes_the_codes_only_once_it_counts():
    results = []
    for freeze in (0, 1):
        model = tiny.build(freeze_bank_for=freeze)
        model.queue.count.assign(8)
        results.append(losses_of(model)["static"])
    assert results[0] != results[1]


def test_local_contrast_begins_after_its_batches():
    model = tiny.build(local_after=2)
    assert losses_of(model)["local"] == 0
    model.batches_seen.assign(2)
    assert losses_of(model)["local"] > 0


def test_only_what_terms_need_is_built():
    plain = tiny.build(loss_weights={"vv": 1.0})
    assert plain.modes == ["rgb"]
    assert plain.heads.names == ["vv"]
    assert not hasattr(plain, "banks")
    assert list(plain.inference_models()) == ["representation"]
    pool = tiny.build(loss_weights={"vv": 1.0, "concepts": 1.0})
    assert pool.modes == ["rgb"]
    assert set(pool.banks) == {"rgb"}
    with pytest.raises(ValueError, match="unknown"):
        tiny.build(loss_weights={"xx": 1.0})


def test_concepts_can_be_read_and_shown():
    model = tiny.build()
    clips = tiny.draw_clips(np.random.default_rng(0))
    found = model.inference_models()["concepts"].predict(clips, verbose=0)
    assert found["logits"].shape == (4, 7)
    assert np.abs(found["logits"]).max() <= 1 + 1e-5
    np.testing.assert_allclose(found["attention"].sum(axis=(1, 2, 3)), 1, atol=1e-4)
    units = model.units(clips)
    assert units["static"].shape[-1] == 4
    assert units["dynamic"].shape[-1] == 3
    assert (units["static"] >= 0).all()


def test_concepts_export_and_come_back_the_same(tmp_path):
    from keras_avrep.export import export_part

    model = tiny.build()
    clips = tiny.draw_clips(np.random.default_rng(0))
    part = model.inference_models()["concepts"]
    inputs = model.inference_inputs("concepts", clips)
    for row in export_part(part, tmp_path, inputs, name="concepts"):
        assert row["max_abs_diff"] < 1e-4
        assert row["outputs"]["logits"] == [7]


def test_a_gray_static_clip_does_not_flicker_unless_asked_to():
    video = np.random.default_rng(0).integers(0, 255, (4, 2, 3, 20, 20, 3), "uint8")
    batch = {"video": video, "static": video[:, :, 0]}

    def flicker(**options):
        views = StaticDynamicConceptsViews(size=16, gray=1.0, seed=1, **options)
        static = to_numpy(views(batch)["static"])
        return np.abs(np.diff(static, axis=2)).max()

    assert flicker() == 0
    assert flicker(gray_from="channel_per_frame", jitter=0.0) >= 0
    with pytest.raises(ValueError, match="gray_from"):
        flicker(gray_from="mean")


def test_presets_are_there_and_the_run_sets_the_schedule():
    assert next(iter(StaticDynamicConcepts.presets)) == "static_dynamic_concepts_tiny"
    changes = StaticDynamicConcepts.changes_for(
        "static_dynamic_concepts_tiny", num_videos=100, batch_size=8, steps=200
    )
    assert changes == {"queue_size": 50, "freeze_bank_for": 10, "local_after": 50}
