import keras
import numpy as np
import pytest
import tiny_dclr
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews

CONTRASTS = ("vv", "vs", "sv", "vd", "dv")


def small_model(**kwargs):
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    return DCLR(
        backbone,
        DCLRViews(size=16, flip=0.0, seed=1),
        hidden_dim=16,
        projection_dim=8,
        queue_size=16,
        seed=0,
        **kwargs,
    )


def batch(size=4):
    video = np.random.default_rng(0).integers(0, 255, (size, 2, 2, 20, 20, 3), "uint8")
    return {"video": video, "static": video[:, :, 0]}


def batches():
    while True:
        yield (batch(),)


def test_views_have_their_shapes_and_a_true_difference():
    views = DCLRViews(size=16, seed=1)(batch())
    assert {tuple(v.shape) for v in views.values()} == {(4, 2, 2, 16, 16, 3)}
    rgb = ops.convert_to_numpy(views["rgb"])
    difference = rgb - np.roll(rgb, 1, axis=2)
    np.testing.assert_allclose(
        ops.convert_to_numpy(views["dynamic"]), difference, atol=1e-5
    )
    static = ops.convert_to_numpy(views["static"])
    np.testing.assert_allclose(static[:, :, 0], static[:, :, 1])


def test_fit_moves_weights_fills_queues_and_survives_a_preset(tmp_path):
    model = small_model()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), jit_compile=True)
    before = model.backbone.get_weights()
    history = model.fit(batches(), steps_per_epoch=3, epochs=1, verbose=0).history
    for name in (*CONTRASTS, "activation"):
        assert np.isfinite(history[f"loss_{name}"]).all()
    after = model.backbone.get_weights()
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True))
    assert int(ops.convert_to_numpy(model.queue.count)) == 12
    model.save_to_preset(str(tmp_path))
    loaded = DCLR.from_preset(str(tmp_path))
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    clips = np.zeros((2, 2, 16, 16, 3), "float32")
    assert model.predict(clips, verbose=0).shape == (2, model.backbone.feature_dim)


def test_weights_of_terms_stand_above_what_was_saved(tmp_path):
    model = small_model()
    model.set_loss_weight("activation", 0.5)
    model.save_to_preset(str(tmp_path))
    as_saved = DCLR.from_preset(str(tmp_path))
    assert as_saved.loss_weights == model.loss_weights
    assert scales(as_saved) == {**dict.fromkeys(CONTRASTS, 1.0), "activation": 0.5}
    other = {name: 2.0 for name in CONTRASTS} | {"activation": 0.0}
    assert scales(DCLR.from_preset(str(tmp_path), loss_weights=other)) == other


def scales(model):
    """What a step multiplies the terms with."""
    values = ops.convert_to_numpy(model.loss_scale).tolist()
    return dict(zip(model.loss_weights, values, strict=True))


def test_momentum_twin_stays_out_of_the_gradient():
    model = small_model()
    twins = {id(v) for twin in model.momentum_encoder.twins for v in twin.weights}
    assert not twins & {id(v) for v in model.trainable_variables}


def test_instance_contrast_alone_builds_one_head():
    model = small_model(loss_weights={"vv": 1.0})
    assert model.heads.names == ["vv"]
    assert model.queue.names == ["vv"]


def test_a_term_of_weight_zero_adds_nothing_to_the_total():
    model = small_model()
    losses = {name: ops.ones(()) for name in model.loss_weights}
    full = float(ops.convert_to_numpy(model.total_loss(losses)))
    model.set_loss_weight("vd", 0.0)
    assert float(ops.convert_to_numpy(model.total_loss(losses))) == pytest.approx(
        full - 1
    )


def test_maps_are_those_of_a_step_and_leave_no_trace():
    model = small_model()
    clips = batch(size=3)["video"][:, 0, :, :16, :16].astype("float32")
    before = model.get_weights()
    maps = model.activation_maps(clips)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert list(maps) == ["rgb", "static", "dynamic"]
    for values in maps.values():
        np.testing.assert_allclose(values.mean((1, 2, 3)), 1, atol=1e-4)
    inputs = model.map_inputs(model.get_layer("normalise")(clips))
    twin = model.momentum_encoder.twins[0]
    whole = twin(ops.concatenate(list(inputs.values())), training=True)
    expected = ops.convert_to_numpy(model.activation_map(whole[-3:]))[..., 0]
    np.testing.assert_allclose(maps["dynamic"], expected, atol=1e-4)


def with_full_queues(**kwargs):
    """A model whose queues hold what no video of a batch is."""
    model = tiny_dclr.build(**kwargs)
    for name in model.queue.names:
        rng = np.random.default_rng(list(name.encode()))
        keys = rng.normal(size=model.queue.keys(name).shape)
        keys /= np.linalg.norm(keys, axis=-1, keepdims=True)
        getattr(model.queue, f"queue_{name}").assign(keys.astype("float32"))
    model.queue.count.assign(16)
    return model


@pytest.mark.parametrize(
    ("switch", "changed"),
    [
        ({"repulsion": True}, {"vs", "vd"}),
        ({"mine": ["dynamic"]}, {"vv", "vs", "sv"}),
        ({"mine": []}, {"vv", "vs", "sv", "vd", "dv"}),
        ({"activation_decoupling": False}, {"vs", "sv", "vd", "dv"}),
    ],
)
def test_a_switch_changes_the_terms_it_is_for(switch, changed):
    def losses(**kwargs):
        model = with_full_queues(temperature=0.5, top_k=1, **kwargs)
        views = tiny_dclr.draw_views(np.random.default_rng(1))
        keys = model.key_forward(views)
        outputs = model.query_forward(views, keys)
        found = model.compute_losses(outputs)
        return {k: float(ops.convert_to_numpy(v)) for k, v in found.items()}

    plain, other = losses(), losses(**switch)
    moved = {name for name in plain if abs(plain[name] - other[name]) > 1e-6}
    assert moved == changed


def test_pairs_stay_pairs_whatever_the_order_of_a_batch():
    order = np.array([2, 0, 3, 1])
    views = tiny_dclr.draw_views(np.random.default_rng(1))
    mixed = {name: view[order] for name, view in views.items()}
    model = with_full_queues()
    found = []
    for some in (views, mixed):
        keys = model.key_forward(some)
        outputs = model.query_forward(some, keys)
        losses = model.compute_losses(outputs)
        found.append([float(ops.convert_to_numpy(x)) for x in losses.values()])
    np.testing.assert_allclose(*found, rtol=1e-4)
    # Keys that are turned by one are wrong, and are told from the right ones.
    keys = model.key_forward(views)
    keys["embeddings"] = {
        name: ops.roll(x, 1, axis=0) for name, x in keys["embeddings"].items()
    }
    wrong = model.compute_losses(model.query_forward(views, keys))
    right = dict(zip(losses, found[0], strict=True))
    assert abs(float(ops.convert_to_numpy(wrong["vv"])) - right["vv"]) > 1e-3


def test_frozen_frames_share_their_clips_crop_when_aligned():
    still = batch()["video"][:, :, :1].repeat(2, axis=2)
    samples = {"video": still, "static": still[:, :, 0]}
    plain = {"size": 16, "gray": 0, "jitter": 0, "blur": 0, "seed": 1}
    for align in (True, False):
        views = DCLRViews(**plain, align_static=align)(samples)
        rgb, static = (ops.convert_to_numpy(views[k]) for k in ("rgb", "static"))
        assert np.allclose(rgb, static, atol=1e-4) == align


def test_unknown_and_unpaired_terms_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        small_model(loss_weights={"xx": 1.0})
    with pytest.raises(ValueError, match="together"):
        small_model(loss_weights={"vs": 1.0})


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"loss_weights": {}}, "is empty"),
        ({"loss_weights": {"activation": 1.0}}, "contrast"),
        ({"loss_weights": {"vv": float("nan")}}, "finite"),
        ({"queue_size": 0}, "queue_size"),
        ({"momentum": 2}, "momentum"),
        ({"temperature": 0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"queue_size": 5}, "top_k"),
        ({"repulsion": True, "loss_weights": {"vs": 1, "sv": 1}}, "repulsion"),
    ],
)
def test_numbers_that_make_nothing_are_refused(wrong, name):
    backbone = VideoResNetBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    with pytest.raises(ValueError, match=name):
        DCLR(backbone, **wrong)


@pytest.mark.parametrize("num_videos", [4, 5, 12, 1024])
def test_most_of_a_short_queue_stays_negative(num_videos):
    changes = DCLR.changes_for("dclr_tiny", num_videos, min(num_videos, 32), 100)
    assert 0 < changes["top_k"] <= max(1, changes["queue_size"] // 4)
    long = DCLR.changes_for("dclr_tiny", 10_000, 32, 100)
    assert long == {"queue_size": 256, "top_k": 5}


def test_neighbours_are_mined_only_after_some_batches():
    model = small_model(mine_after=3)
    embeddings = {
        name: ops.convert_to_tensor(np.eye(4, 8, dtype="float32"))
        for name in ("sv", "dv")
    }
    keys = {name: embeddings["sv"] for name in model.heads.names}
    for seen in range(4):
        masks = model._mined_positives(embeddings, model.queue.valid())
        mined = int(ops.convert_to_numpy(ops.sum(ops.cast(masks["static"], "int32"))))
        assert (mined > 0) == (seen >= 3)
        model.finish_step({"embeddings": keys})


def test_the_spread_of_activations_is_watched_where_they_are_aligned():
    model = small_model()
    maps = np.ones((2, 1, 2, 2, 1), "float32")
    maps[1] = np.array([4, 0, 0, 0]).reshape(1, 2, 2, 1)
    found = model.statistics({"rgb_map": ops.convert_to_tensor(maps)})
    # The first map is constant, the second on one place of four.
    assert float(found["activation_spread"]) == pytest.approx(3**0.5 / 2, abs=1e-6)
    assert set(found) == {*model.statistic_names}
    plain = small_model(loss_weights={"vv": 1.0})
    assert plain.statistic_names == () and plain.statistics({}) == {}
