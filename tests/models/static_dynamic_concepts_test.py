import keras
import numpy as np
import pytest
from keras import ops
from tiny_static_dynamic_concepts import build, draw_batch, draw_clips, draw_views

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.export.inference_form import float32_model
from keras_avrep.layers import ActivationMap
from keras_avrep.models import ConceptViews, StaticDynamicConcepts
from keras_avrep.training import make_optimizer, recalibrate_batch_norm

ALL = ["vv", "vs", "vd", "static", "dynamic", "entropy", "fidelity", "local"]


def to_numpy(x):
    return ops.convert_to_numpy(x)


def rng(seed=0):
    return np.random.default_rng(seed)


def step(model, views=None):
    """Losses and gradients by path of one batch, through the backend's own step."""
    model.make_views = lambda batch: batch
    views = views or draw_views(rng())
    batch = {name: ops.convert_to_tensor(x) for name, x in views.items()}
    _, losses, gradients = model.loss_gradients(batch)
    paths = [v.path for v in model.trainable_variables]
    return (
        {name: float(to_numpy(x)) for name, x in losses.items()},
        {
            path: 0.0 if g is None else float(np.abs(to_numpy(g)).max())
            for path, g in zip(paths, gradients, strict=True)
        },
    )


# --- views --------------------------------------------------------------------


def test_views_have_their_shapes_and_a_true_difference():
    views = {k: to_numpy(v) for k, v in ConceptViews(16, seed=1)(batch()).items()}
    assert {v.shape for v in views.values()} == {(4, 2, 2, 16, 16, 3)}
    difference = views["rgb"] - np.roll(views["rgb"], 1, axis=2)
    np.testing.assert_allclose(views["dynamic"], difference, atol=1e-5)


def batch(frames=2):
    video = rng().integers(0, 255, (4, 2, frames, 20, 20, 3), "uint8")
    return {"video": video, "static": video[:, :, 0]}


def test_gray_static_views_stand_still_unless_gray_is_as_released():
    for legacy, still in ((False, True), (True, False)):
        views = ConceptViews(16, gray=1.0, jitter=0.0, legacy_gray=legacy, seed=1)
        static = to_numpy(views(batch(6))["static"])
        assert (np.ptp(static, axis=2).max() < 1e-6) == still


def test_aligned_static_views_show_the_place_of_their_clip():
    clip = np.repeat(batch()["static"][:, :, None], 3, axis=2)
    still = {"video": clip, "static": clip[:, :, 0]}
    for aligned in (True, False):
        layer = ConceptViews(16, gray=0, jitter=0, align_static=aligned, seed=1)
        views = layer(still)
        apart = np.abs(to_numpy(views["rgb"]) - to_numpy(views["static"])).max()
        assert (apart < 1e-4) == aligned


def test_views_survive_their_config():
    layer = ConceptViews(16, flip=0.0, legacy_gray=True, wrap="zero", seed=3)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


# --- training -----------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    model = build(freeze_bank_for=1, local_after=1)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    # XLA takes longer to compile this than the test takes without.
    model.compile(optimizer, jit_compile=False)
    start = [np.array(w) for w in model.backbone.get_weights()]
    batches = ((draw_batch(rng(i)),) for i in range(3))
    history = model.fit(batches, steps_per_epoch=3, verbose=0).history
    return model, start, history


def test_fit_logs_every_term_moves_weights_and_fills_the_queue(trained):
    model, start, history = trained
    assert list(model.loss_weights) == ALL
    for name in ALL:
        assert np.isfinite(history[f"loss_{name}"]).all()
    pairs = zip(start, model.backbone.get_weights(), strict=True)
    assert any(np.abs(a - b).max() > 0 for a, b in pairs)
    assert int(to_numpy(model.logit_queue.count)) == 12


def test_a_preset_folder_gives_all_of_it_back(trained, tmp_path):
    model = trained[0]
    model.save_to_preset(str(tmp_path))
    loaded = StaticDynamicConcepts.from_preset(str(tmp_path))
    assert loaded.get_config() == model.get_config()
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    clips = draw_clips(rng())
    for kind, maps in model.units(clips).items():
        np.testing.assert_array_equal(maps, loaded.units(clips)[kind])


def test_at_the_start_losses_are_where_the_note_says():
    model = build(num_static=50, num_dynamic=50, embedding_dim=512, top=10)
    losses, _ = step(model)
    # Contrasts of four videos; two heads weigh double.
    assert losses["vv"] == pytest.approx(np.log(4), abs=1.0)
    assert losses["vs"] == pytest.approx(2 * np.log(4), abs=2.0)
    for kind in ("static", "dynamic"):
        assert losses[kind] == pytest.approx(np.log(50), abs=0.3)
    assert losses["entropy"] == pytest.approx(-2 * np.log(50), abs=0.3)
    assert abs(losses["fidelity"]) < 1.5
    assert losses["local"] > 0


def test_banks_get_no_gradient_and_the_queue_no_say_before_their_time():
    model = build(freeze_bank_for=2)
    filled = {name: 3 * draw for name, draw in queue_logits(model).items()}
    model.logit_queue.enqueue(filled)
    start = model.get_weights()
    frozen, slopes = step(model)
    assert banks(slopes) and not any(banks(slopes))
    assert any("attention" in path and g > 0 for path, g in slopes.items())
    model.set_weights(start)
    model.batches_seen.assign(2)
    used, slopes = step(model)
    assert all(banks(slopes))
    assert used["static"] != pytest.approx(frozen["static"], abs=1e-3)
    assert used["vv"] == pytest.approx(frozen["vv"], abs=1e-5)


def test_what_does_not_learn_yet_keeps_its_weights_under_the_published_decay():
    model = build(size=32, temperature=0.5, top=None, freeze_bank_for=2, local_after=2)
    preset = StaticDynamicConcepts.presets["static_dynamic_concepts_r2plus1d_ucf101"]
    optimizer = make_optimizer(preset["optimizer"], 100, 4)
    assert optimizer.l2 > 0
    # Tracing takes longer than four steps.
    model.compile(optimizer, jit_compile=False, run_eagerly=True)
    waiting = [
        v
        for v in model.trainable_variables
        if "attention" in v.path or ("concepts" in v.path and "bank" in v.path)
    ]
    assert len(waiting) > 4
    draws = rng()

    def weights_after_two_steps():
        for _ in range(2):
            model.train_on_batch(draw_batch(draws))
        return [to_numpy(v) for v in waiting]

    start = [to_numpy(v) for v in waiting]
    for before, after in zip(start, weights_after_two_steps(), strict=True):
        np.testing.assert_array_equal(before, after)
    moved = [
        np.abs(after - before).max() > 0
        for before, after in zip(start, weights_after_two_steps(), strict=True)
    ]
    assert all(moved)


def banks(slopes):
    return [g for path, g in slopes.items() if "concepts" in path and "bank" in path]


def queue_logits(model):
    dim = model.logit_queue.dim
    return {
        name: ops.convert_to_tensor(rng(i).normal(size=(16, dim)).astype("float32"))
        for i, name in enumerate(model.logit_queue.names)
    }


def test_the_queue_keeps_the_logits_of_every_view_also_while_banks_are_frozen():
    model = build(freeze_bank_for=9)
    step(model)
    assert model.logit_queue.names == [
        f"{mode}{clip}" for mode in ("rgb", "static", "dynamic") for clip in (1, 2)
    ]
    assert int(to_numpy(model.logit_queue.count)) == 4
    kept = to_numpy(model.logit_queue.keys("static2"))[:4]
    clips = np.concatenate(
        [x.reshape(8, *x.shape[2:]) for x in draw_views(rng()).values()]
    )
    features = to_numpy(model.backbone(clips, training=True)).mean(axis=(1, 2, 3))
    embedding = model.dictionary.mode_heads["static"](features[8:16], training=True)
    # The second clips of the static inputs, which come after the RGB ones.
    expected = to_numpy(model.dictionary.banks["static"](embedding))[1::2]
    np.testing.assert_allclose(kept, expected, atol=1e-4)


def test_the_local_contrast_waits():
    model = build(local_after=1)
    assert step(model)[0]["local"] == 0
    model.batches_seen.assign(1)
    assert step(model)[0]["local"] > 0


def test_without_the_filter_all_concepts_are_contrasted():
    filtered, everything = (step(build(top=top))[0] for top in (3, None))
    assert filtered["local"] != pytest.approx(everything["local"], rel=1e-3)


def test_terms_left_out_are_not_built():
    model = build(loss_weights={"vv": 1.0})
    assert model.heads.names == ["vv"]
    assert model.modes == ["rgb"]
    assert model.dictionary.modes == model.logit_queue.names == []
    assert list(model.inference_models()) == ["representation"]
    assert model.units(draw_clips(rng())) == {}
    assert set(step(model)[0]) == {"vv"}
    full = build()
    assert model.count_params() < full.count_params()


def test_one_pool_aligns_all_inputs_over_all_concepts():
    model = build(embedding_dim=512, loss_weights={"vv": 1.0, "pooled": 1.0})
    assert model.heads.names == ["vv"]
    assert model.modes == ["rgb", "static", "dynamic"]
    losses, _ = step(model)
    assert losses["pooled"] == pytest.approx(np.log(7), abs=0.7)
    assert set(model.inference_models()["concepts"].output) == {"logits"}


def test_a_term_of_weight_zero_adds_nothing_to_the_total():
    model = build()
    losses = {name: ops.ones(()) for name in model.loss_weights}
    assert float(to_numpy(model.total_loss(losses))) == pytest.approx(7.1)
    model.set_loss_weight("local", 0.0)
    assert float(to_numpy(model.total_loss(losses))) == pytest.approx(6.1)


def test_unknown_and_empty_terms_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        build(loss_weights={"sv": 1.0})
    with pytest.raises(ValueError, match="empty"):
        build(loss_weights={})
    for name in ("temperature", "concept_temperature", "epsilon"):
        with pytest.raises(ValueError, match=f"`{name}` must be above 0"):
            build(**{name: 0.0})


# --- what can be looked at and shipped ----------------------------------------


def test_the_concepts_model_reads_clips_like_training_does(trained):
    model, clips = trained[0], draw_clips(rng())
    found = model.inference_models()["concepts"].predict(clips, verbose=0)
    assert found["logits"].shape == (4, 7)
    assert np.abs(found["logits"]).max() <= 1 + 1e-6
    assert found["local_features"].shape == (4, 7, 8)
    assert found["attention"].shape == (4, 1, 2, 2, 7)
    np.testing.assert_allclose(found["attention"].sum(axis=-1), 1, atol=1e-5)


def test_units_are_shares_of_the_activation(trained):
    model, clips = trained[0], draw_clips(rng())
    units = model.units(clips, batch_size=3)
    assert {kind: maps.shape for kind, maps in units.items()} == {
        "static": (4, 1, 2, 2, 4),
        "dynamic": (4, 1, 2, 2, 3),
    }
    total = units["static"].sum(axis=-1) + units["dynamic"].sum(axis=-1)
    activation = model.activation_maps(clips)["rgb"]
    np.testing.assert_allclose(total, activation, atol=1e-3)
    assert all(maps.dtype == np.float32 for maps in units.values())


def test_maps_of_other_inputs_are_those_of_a_step_and_leave_no_trace(trained):
    model, clips = trained[0], draw_clips(rng())
    before = model.get_weights()
    maps = model.activation_maps(clips)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    inputs = model.map_inputs(model.get_layer("normalise")(clips))
    assert list(inputs) == ["rgb", "static", "dynamic"] and set(maps) == set(inputs)
    stacked = ops.concatenate(list(inputs.values()))
    whole = to_numpy(ActivationMap()(model.backbone(stacked, training=True)))
    model.set_weights(before)
    expected = np.split(whole[..., 0], 3)
    np.testing.assert_allclose(maps["static"], expected[1], atol=1e-4)
    np.testing.assert_allclose(maps["dynamic"], expected[2], atol=1e-4)
    alone = to_numpy(ActivationMap()(model.backbone(inputs["rgb"], training=False)))
    np.testing.assert_allclose(maps["rgb"], alone[..., 0], atol=1e-4)


def test_calibration_reaches_the_heads_that_inference_uses(trained):
    model = trained[0]
    norm = model.dictionary.mode_heads["rgb"].norms[0]
    before = to_numpy(norm.moving_mean)
    assert recalibrate_batch_norm(model.calibrated_model(), [draw_clips(rng())]) == 1
    assert np.abs(to_numpy(norm.moving_mean) - before).max() > 0
    plain = build(loss_weights={"vv": 1.0})
    assert plain.calibrated_model().output.shape == (None, 32)


def test_a_mixed_precision_model_trains_and_has_a_float32_form():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build()
    losses, _ = step(model)
    assert np.isfinite(list(losses.values())).all()
    concepts = model.inference_models()["concepts"]
    clips = draw_clips(rng())
    mixed = concepts(clips, training=False)
    exact = float32_model(concepts)(clips, training=False)
    for name, values in exact.items():
        np.testing.assert_allclose(
            to_numpy(mixed[name]), to_numpy(values), atol=0.1, err_msg=name
        )
        assert np.abs(to_numpy(mixed[name]) - to_numpy(values)).max() > 0


# --- configurations -----------------------------------------------------------


def test_the_tiny_preset_comes_first_and_fits_a_run():
    names = list(StaticDynamicConcepts.presets)
    assert names[0] == "static_dynamic_concepts_tiny"
    changes = StaticDynamicConcepts.changes_for(names[0], 100, 16, 600)
    assert changes == {
        "queue_size": 50,
        "chunks": 1,
        "freeze_bank_for": 30,
        "local_after": 150,
    }
    model = StaticDynamicConcepts.from_preset(names[0], load_weights=False)
    # At paper scale in rounds, as released: these are of UCF-101.
    name = "static_dynamic_concepts_r2plus1d_ucf101"
    changes = StaticDynamicConcepts.changes_for(name, 9537, 64, 600)
    assert changes["freeze_bank_for"] == 149
    assert changes["local_after"] == 1490
    task = StaticDynamicConcepts.presets[name]["task"]
    assert changes.items() >= task.items() - {("num_static", 50), ("num_dynamic", 50)}
    assert 3e5 < model.backbone.count_params() < 5e5
    assert model.training_sampler({"num_frames": 8}).max_rate == 1.5
    with pytest.raises(ValueError, match="load_weights=False"):
        StaticDynamicConcepts.from_preset(names[0])


@pytest.mark.parametrize("name", list(StaticDynamicConcepts.presets))
def test_presets_say_what_is_needed(name):
    preset = StaticDynamicConcepts.presets[name]
    assert set(preset["clip"]) == {"num_frames", "stride", "size"}
    assert preset["clip"]["size"] >= preset["views"]["size"]
    assert preset["description"]


def test_the_released_backbone_has_its_size_and_map():
    preset = StaticDynamicConcepts.presets["static_dynamic_concepts_r2plus1d_ucf101"]
    backbone = VideoResNetBackbone(**preset["backbone"])
    trained = sum(np.prod(v.shape) for v in backbone.trainable_variables)
    assert trained == pytest.approx(12.5e6, rel=0.01)
    assert backbone.compute_output_shape((1, 16, 128, 128, 3)) == (1, 2, 8, 8, 512)
