import keras
import numpy as np
import pytest
from keras import ops
from tiny_teg import build, draw_batch, draw_views

from keras_avrep.layers import SpatialPool
from keras_avrep.models import TeG, TeGViews
from keras_avrep.models.teg.step_times import step_centres, step_times
from keras_avrep.models.teg.teg_terms import linear_ramp
from keras_avrep.training.recalibrate_batch_norm import batch_norms

RNG = np.random.default_rng


def value(x):
    return float(ops.convert_to_numpy(x))


def trained(model, steps=2):
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), jit_compile=False)
    batches = ((draw_batch(RNG(i)),) for i in range(steps))
    return model.fit(batches, steps_per_epoch=steps, verbose=0).history


# --- views ----------------------------------------------------------------------


def test_views_have_their_shapes_and_the_numbers():
    batch = draw_batch(RNG(0))
    views = TeGViews(size=16, seed=0)(batch)
    assert views["short"].shape == (4, 4, 16, 16, 3)
    assert views["long"].shape == (4, 8, 16, 16, 3)
    for name in ("short_start", "long_start", "looped"):
        np.testing.assert_array_equal(ops.convert_to_numpy(views[name]), batch[name])


def plain_views(**kwargs):
    off = {"flip": 0.0, "jitter": 0.0, "gray": 0.0, "crop_scale": (1.0, 1.0)}
    off |= {"crop_ratio": (1.0, 1.0), "blur": (0.0, 0.0), "solarise": (0.0, 0.0)}
    return TeGViews(size=20, seed=0, **{**off, **kwargs})


@pytest.mark.parametrize("change", ["blur", "solarise"])
def test_strong_and_weak_views_take_turns_along_the_batch(change):
    batch = draw_batch(RNG(0))
    plain = plain_views()(batch)
    views = plain_views(**{change: (1.0, 0.0)})(batch)
    for clip, expected in (("short", [1, 0, 1, 0]), ("long", [0, 1, 0, 1])):
        same, other = (ops.convert_to_numpy(x[clip]) for x in (plain, views))
        changed = np.abs(same - other).max(axis=(1, 2, 3, 4)) > 1e-3
        np.testing.assert_array_equal(changed, np.array(expected, bool))


def test_clips_share_a_crop_only_if_asked():
    crops = {"crop_scale": (0.3, 0.5)}
    batch = draw_batch(RNG(0))
    shared = plain_views(shared_crop=True, **crops)(batch)
    apart = plain_views(**crops)(batch)
    for views, same in ((shared, True), (apart, False)):
        inside = ops.convert_to_numpy(views["long"])[:, 2:6]
        assert np.allclose(inside, ops.convert_to_numpy(views["short"])) == same


# --- steps ----------------------------------------------------------------------


def test_step_times_of_the_note():
    short = step_times(np.array([20.0]), np.array([2.0]), 16)
    np.testing.assert_array_equal(short, [[22, 26, 30, 34, 38, 42, 46, 50]])
    for frames, stride, expected in ((16, 5, (5, 80, 10)), (32, 2, (2, 64, 4))):
        long = step_times(np.zeros(1), np.array([stride]), frames)
        np.testing.assert_array_equal(long, [np.arange(*expected)])


@pytest.mark.parametrize("frames", [7, 8, 16])
def test_step_centres_are_those_of_the_real_stem(frames):
    model = build()
    stem = model.backbone.get_layer("stem_conv")
    kernel = np.zeros(stem.kernel.shape, "float32")
    kernel[2] = 1.0
    stem.kernel.assign(kernel)
    for step, centre in enumerate(step_centres(frames)):
        x = np.zeros((1, frames, 8, 8, 3), "float32")
        x[0, int(centre)] = 1.0
        response = ops.convert_to_numpy(stem(x)).sum(axis=(0, 2, 3, 4))
        assert np.flatnonzero(response).tolist() == [step]


def test_spatial_pool_keeps_time():
    x = np.arange(48, dtype="float32").reshape(1, 2, 2, 3, 4)
    pooled = SpatialPool()(x)
    np.testing.assert_allclose(ops.convert_to_numpy(pooled), x.mean(axis=(2, 3)))
    assert SpatialPool().compute_output_shape(x.shape) == (1, 2, 4)


def test_steps_average_to_the_representation():
    model = build()
    models = model.inference_models()
    assert list(models) == ["representation", "steps"]
    clips = RNG(0).integers(0, 255, (2, 8, 32, 32, 3)).astype("float32")
    steps = models["steps"].predict(clips, verbose=0)
    assert steps.shape == (2, 4, model.backbone.feature_dim)
    features = models["representation"].predict(clips, verbose=0)
    np.testing.assert_allclose(steps.mean(axis=1), features, atol=1e-5)


# --- the model ------------------------------------------------------------------


def test_fit_moves_weights_and_survives_a_preset(tmp_path):
    model = build()
    before = model.get_weights()
    history = trained(model)
    assert np.isfinite([history[f"loss_{t}"] for t in model.loss_weights]).all()
    moved = [np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert np.mean(moved) > 0.9
    model.save_to_preset(str(tmp_path))
    loaded = TeG.from_preset(str(tmp_path))
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.get_config().keys() == model.get_config().keys()


@pytest.mark.parametrize(
    ("arguments", "heads"),
    [
        ({"loss_weights": {"persistent": 1.0}}, ["persistent"]),
        ({"loss_weights": {"fine": 1.0}}, ["fine"]),
        ({"share_heads": True}, ["shared"]),
        ({}, ["fine", "persistent"]),
    ],
)
def test_only_the_heads_of_the_terms_are_built(arguments, heads):
    model = build(**arguments)
    assert list(model.heads) == heads
    views = model.make_views(draw_batch(RNG(0)))
    losses = model.compute_losses(model.query_forward(views, {}))
    assert losses.keys() == model.loss_weights.keys()
    paths = {v.path.split("/")[0] for v in model.trainable_variables}
    assert {f"{name}_projection" for name in heads} <= paths


def test_baseline_is_the_persistent_term_alone():
    assert list(build(**TeG.baseline).loss_weights) == ["persistent"]


def test_the_fine_term_is_ramped_up_and_logged_whole():
    losses = {"fine": ops.convert_to_tensor(2.0), "persistent": ops.ones(())}
    model = build(fine_ramp_after=2, fine_ramp_for=4)
    totals = []
    for seen in range(8):
        model.batches_seen.assign(seen)
        totals.append(value(model.total_loss(losses)))
    assert totals == pytest.approx([1, 1, 1, 1.5, 2, 2.5, 3, 3])
    statistics = dict.fromkeys(model.statistic_names, 0.0)
    logs = model.update_trackers(ops.ones(()), losses, statistics)
    assert value(logs["loss_fine"]) == 2.0
    alone = build(loss_weights={"fine": 1.0}, fine_ramp_after=2, fine_ramp_for=4)
    assert value(alone.total_loss({"fine": losses["fine"]})) == 2.0
    assert [value(linear_ramp(n, 2, 0)) for n in (1, 2)] == [0, 1]


def test_a_run_says_when_the_fine_term_comes():
    changes = TeG.changes_for("teg_tiny", 1000, 16, steps=600)
    ramp = {"fine_ramp_after": 30, "fine_ramp_for": 30}
    assert changes == {**ramp, "cross_chunks": 1}
    changes = TeG.changes_for("teg_tiny_fine", 1000, 256, steps=600)
    assert changes == {"cross_chunks": 4}


def test_looped_videos_are_no_negatives_of_themselves():
    views = draw_views(RNG(0))
    model = build(negatives="within", loss_weights={"fine": 1.0})
    losses = {}
    for looped in (0.0, 1.0):
        views["looped"] = np.full(4, looped, "float32")
        outputs = model.query_forward(views, {})
        losses[looped] = value(model.compute_losses(outputs)["fine"])
    assert losses[0.0] > 0.1
    assert losses[1.0] == pytest.approx(0, abs=1e-6)


def test_moving_statistics_hardly_depend_on_the_order_of_the_clips():
    views = draw_views(RNG(0))
    model = build()
    start = model.backbone.get_weights()
    moving = []
    for order in (("long", "short"), ("short", "long")):
        model.backbone.set_weights(start)
        for clip in order:
            model.backbone(views[clip], training=True)
        norms = batch_norms(model.backbone)
        moving.append([ops.convert_to_numpy(n.moving_variance) for n in norms])
    for first, second in zip(*moving, strict=True):
        np.testing.assert_allclose(first, second, rtol=0.1)


def test_a_clip_too_long_for_the_long_one_is_refused():
    with pytest.raises(ValueError, match="long_frames"):
        build().training_sampler({"num_frames": 16, "stride": 2})


def test_unknown_terms_are_refused():
    for weights in ({"motion": 1.0}, {}):
        with pytest.raises(ValueError, match="loss_weights"):
            build(loss_weights=weights)


def test_wrong_arguments_are_named():
    for changes in ({"negatives": "all"}, {"match": "x"}, {"fine_temperature": 0}):
        with pytest.raises(ValueError, match=f"`{next(iter(changes))}` must be"):
            build(**changes)


@pytest.mark.parametrize("name", TeG.presets)
def test_presets_fit_together(name):
    preset = TeG.presets[name]
    assert preset["description"].endswith(".")
    task = preset["task"]
    long_span = (task["long_frames"] - 1) * task["long_stride"] + 1
    assert (preset["clip"]["num_frames"] - 1) * preset["clip"]["stride"] < long_span
    assert preset["clip"]["size"] >= preset["views"]["size"]


def test_the_tiny_preset_is_tiny():
    model = TeG.from_preset("teg_tiny", load_weights=False, seed=0)
    assert 300_000 < model.backbone.count_params() < 500_000
    assert model.views.size == 48
    with pytest.raises(ValueError, match="without weights"):
        TeG.from_preset("teg_tiny")
