import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models import DCLR, DCLRViews


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
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))
    before = model.backbone.get_weights()
    history = model.fit(batches(), steps_per_epoch=3, epochs=1, verbose=0).history
    for name in ("vv", "vs", "sv", "vd", "dv", "activation"):
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


def test_momentum_twin_stays_out_of_the_gradient():
    model = small_model()
    twins = {id(v) for twin in model.momentum_encoder.twins for v in twin.weights}
    assert not twins & {id(v) for v in model.trainable_variables}


def test_instance_contrast_alone_builds_one_head():
    model = small_model(loss_weights={"vv": 1.0})
    assert model.heads.names == ["vv"]
    assert model.queue.names == ["vv"]


def test_a_term_switches_off_without_a_new_trace():
    model = small_model()
    losses = {name: ops.ones(()) for name in model.loss_weights}
    full = float(ops.convert_to_numpy(model.total_loss(losses)))
    model.set_loss_weight("vd", 0.0)
    assert float(ops.convert_to_numpy(model.total_loss(losses))) == pytest.approx(
        full - 1
    )


def test_unknown_and_unpaired_terms_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        small_model(loss_weights={"xx": 1.0})
    with pytest.raises(ValueError, match="together"):
        small_model(loss_weights={"vs": 1.0})


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
