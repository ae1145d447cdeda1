import math

import keras
import numpy as np
import pytest
import tiny_controllable_augmentations as tiny
from gradients import gradient
from keras import ops

from keras_avrep.models import ControllableAugmentations, ControllableAugmentationsViews
from keras_avrep.models.controllable_augmentations import augmentations_terms
from keras_avrep.models.controllable_augmentations.information_minimisation import (
    MutualInformationMinimisation,
)
from keras_avrep.models.controllable_augmentations.temporal_order_head import (
    TemporalOrderHead,
    order_loss,
)

# What the tests of all backends leave out.
OTHERS = {"instance": 1.0, "region_difference": 0.5, "mutual_information": 0.1}


def value(x):
    return float(ops.convert_to_numpy(x))


def losses_of(model, rng=None):
    views = tiny.draw_views(rng or np.random.default_rng(0))
    outputs = model.query_forward(views, {})
    return outputs, {k: value(v) for k, v in model.compute_losses(outputs).items()}


def batches():
    rng = np.random.default_rng(0)
    while True:
        yield (tiny.draw_batch(rng),)


def test_views_put_the_global_one_last_and_keep_its_times():
    views = ControllableAugmentationsViews(size=16, seed=1)
    views.size = 12
    batch = tiny.draw_batch(np.random.default_rng(0))
    found = {k: ops.convert_to_numpy(v) for k, v in views(batch).items()}
    assert found["clips"].shape == (4, 3, 4, 12, 12, 3)
    assert found["colours"].shape == (4, 3, 6)
    np.testing.assert_array_equal(
        found["records"][1, :, :3], [[1, 1, 4], [9, 1, 4], [0, 4, 4]]
    )
    area = found["records"][..., 5] * found["records"][..., 6]
    assert (area[:, :2] < 0.61).all() and (area[:, 2] > 0.49).all()
    again = ControllableAugmentationsViews.from_config(views.get_config())
    assert again.get_config() == views.get_config()


def test_fit_moves_weights_and_survives_a_preset(tmp_path):
    model = tiny.build(loss_weights=OTHERS, information="club")
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), jit_compile=True)
    before = model.get_weights()
    history = model.fit(batches(), steps_per_epoch=2, epochs=1, verbose=0).history
    for name in OTHERS:
        assert np.isfinite(history[f"loss_{name}"]).all()
    after = model.get_weights()
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True))
    model.save_to_preset(str(tmp_path))
    loaded = ControllableAugmentations.from_preset(str(tmp_path))
    assert loaded.get_config() == model.get_config()
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_equal_embeddings_start_at_the_logs_of_the_note():
    model = tiny.build(temperature=0.5)
    outputs, _ = losses_of(model)
    flat = {
        **outputs,
        "features": ops.ones_like(outputs["features"]),
        "regions": ops.ones_like(outputs["regions"]) / math.sqrt(8),
        "slots": {k: ops.ones_like(v) for k, v in outputs["slots"].items()},
    }
    model.region_predictor = lambda x: x
    losses = {k: value(v) for k, v in model.compute_losses(flat).items()}
    regions, videos, slots = 8, 4, 2
    # Local to global: all global regions; the other way: those of 2 local clips.
    forward, backward = videos * regions, videos * regions * 2
    expected = {
        # One positive for a local clip, two for the global view, nine negatives.
        "instance": (2 * math.log(10 / 1) + math.log(11 / 2)) / 3,
        "region": (math.log(forward) + math.log(backward)) / 2,
        "timestamp": (math.log(slots) + math.log(2 * slots)) / 2,
        "order": math.log(math.factorial(2) + videos - 1),
    }
    for name, wanted in expected.items():
        assert math.isclose(losses[name], wanted, abs_tol=1e-4), name
    model.information_term.critic.score.kernel.assign(ops.zeros((8, 1)))
    information = value(model.compute_losses(flat)["mutual_information"])
    assert math.isclose(information, 2 * math.log(2), abs_tol=1e-5)


def test_timestamps_are_weighted_by_depth():
    rng = np.random.default_rng(0)
    records = tiny.draw_views(rng)["records"]
    slots = {
        stage: rng.normal(size=(*records.shape[:2], count, 8)).astype("float32")
        for stage, count in (("stage2", 8), ("stage3", 4), ("stage4", 2))
    }
    found = {
        stage: value(
            augmentations_terms.timestamp_losses(slots, records, {stage: 1.0}, 0.07)
        )
        for stage in slots
    }
    assert len({round(x, 3) for x in found.values()}) == 3
    # The weights of the note.
    weights = {"stage2": 0.3, "stage3": 0.5, "stage4": 1.0}
    total = augmentations_terms.timestamp_losses(slots, records, weights, 0.07)
    expected = sum(weights[stage] * found[stage] for stage in slots)
    assert math.isclose(value(total), expected, rel_tol=1e-5)


def test_instance_positives_are_local_and_global():
    positives, negatives = augmentations_terms.instance_masks(2, 3, False)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(positives)[:3, :3],
        [[False, False, True], [False, False, True], [True, True, False]],
    )
    assert not ops.convert_to_numpy(positives)[:3, 3:].any()
    assert ops.convert_to_numpy(negatives)[:3, 3:].all()
    both, _ = augmentations_terms.instance_masks(2, 3, True)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(both)[:3, :3], ~np.eye(3, dtype=bool)
    )


@pytest.mark.parametrize("num_clips", [2, 3])
def test_order_of_equal_clips_is_a_guess(num_clips):
    orders = math.factorial(num_clips)
    for form, wanted in (("contrast", orders + 4), ("classification", orders)):
        head = TemporalOrderHead(num_clips, 8, 4, form)
        logits = head(np.ones((5, num_clips, 6)), np.ones((5, 6)))
        assert tuple(logits.shape) == head.compute_output_shape((5, num_clips, 6))
        logits = logits * 0
        loss = value(order_loss(logits, np.ones(5)))
        assert math.isclose(loss, math.log(wanted), abs_tol=1e-5)


def test_order_contrasts_every_permutation_and_the_other_videos():
    rng = np.random.default_rng(0)
    local, whole = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 4))
    head = TemporalOrderHead(2, 16, 8, temperature=1.0)
    logits = ops.convert_to_numpy(head(local, whole))[:, 0]
    for b in range(3):
        candidates = [local[b], local[b, ::-1], *(local[o] for o in range(3) if o != b)]
        vectors = ops.convert_to_numpy(
            head.sequence(np.stack([c.ravel() for c in candidates]))
        )
        view = ops.convert_to_numpy(head.whole(whole[b : b + 1]))[0]
        np.testing.assert_allclose(logits[b], vectors @ view, atol=1e-5)


def test_videos_whose_clips_overlap_have_no_order():
    logits = np.array([[[0.0, 0.0]], [[5.0, -5.0]]])
    assert math.isclose(
        value(order_loss(logits, np.array([1.0, 0.0]))), math.log(2), abs_tol=1e-5
    )
    assert value(order_loss(logits, np.zeros(2))) == 0.0


def test_terms_that_are_left_out_are_not_built():
    model = tiny.build(loss_weights={"instance": 1.0})
    _, losses = losses_of(model)
    assert set(losses) == {"instance"}
    whole = tiny.build()
    assert len(model.trainable_variables) < len(whole.trainable_variables)
    assert set(model.inference_models()) == {"representation"}


def test_a_term_of_weight_zero_adds_nothing_to_the_total():
    model = tiny.build()
    ones = {name: ops.ones(()) for name in model.loss_weights}
    assert value(model.total_loss(ones)) == pytest.approx(2.6)
    model.set_loss_weight("region", 0.0)
    assert value(model.total_loss(ones)) == pytest.approx(1.6)


def test_targets_change_the_region_loss_only():
    losses = {
        target: losses_of(tiny.build(target=target))[1]
        for target in ("overlap", "iou", "gaussian", "hard")
    }
    regions = [found.pop("region") for found in losses.values()]
    assert len({round(r, 6) for r in regions}) == 4
    for found in losses.values():
        assert found == pytest.approx(losses["overlap"], abs=1e-5)


def test_other_regions_of_the_video_can_be_ignored():
    kept, left_out = (
        losses_of(tiny.build(ignore_same_video_negatives=ignore))[1]["region"]
        for ignore in (False, True)
    )
    assert left_out < kept


def test_a_part_of_the_other_videos_regions_can_be_drawn():
    every = losses_of(tiny.build())[1]
    some = losses_of(tiny.build(num_negatives=1))[1]
    assert some.pop("region") < every.pop("region") - 0.1
    assert some == pytest.approx(every, abs=1e-5)
    # More than there are is all of them.
    enough = losses_of(tiny.build(num_negatives=1000))[1]["region"]
    assert enough == pytest.approx(losses_of(tiny.build())[1]["region"], abs=1e-5)


def test_drawn_regions_are_of_their_video_and_none_comes_twice():
    regions = np.arange(24, dtype="float32").reshape(4, 6, 1)
    seed = keras.random.SeedGenerator(0)
    first, second = (
        ops.convert_to_numpy(augmentations_terms.drawn(regions, 3, seed))
        for _ in range(2)
    )
    for found in (first, second):
        assert (found // 6 == np.arange(4).reshape(4, 1, 1)).all()
        assert all(len(np.unique(video)) == 3 for video in found)
    assert (first != second).any()


@pytest.mark.parametrize("form", ["jsd", "colours"])
def test_the_adversary_pulls_the_other_way(form):
    rng = np.random.default_rng(0)
    regions = rng.normal(size=(4, 2, 3, 5)).astype("float32")
    descriptors = rng.normal(size=(4, 2, 3, 2)).astype("float32")
    colours = rng.uniform(size=(4, 2, 6)).astype("float32")
    layer = MutualInformationMinimisation(form, 8)
    layer.build(regions.shape, descriptors.shape, colours.shape)
    slopes = [
        gradient(lambda x, s=s: layer(x, descriptors, colours, strength=s), regions)
        for s in (1.0, -1.0, 0.0)
    ]
    assert np.abs(slopes[0]).max() > 0
    np.testing.assert_allclose(slopes[0], -slopes[1], atol=1e-7)
    assert (slopes[2] == 0).all()


def test_the_bound_is_followed_as_strongly_as_it_says():
    rng = np.random.default_rng(0)
    regions = rng.normal(size=(4, 2, 3, 5)).astype("float32")
    descriptors = rng.normal(size=(4, 2, 3, 2)).astype("float32")
    colours = np.zeros((4, 2, 6), "float32")
    layer = MutualInformationMinimisation("club", 8)
    layer.build(regions.shape, descriptors.shape)
    full, half = (
        gradient(lambda x, s=s: layer(x, descriptors, colours, strength=s), regions)
        for s in (1.0, 0.5)
    )
    np.testing.assert_allclose(half, full / 2, atol=1e-6)
    assert np.abs(full).max() > 1e-5


def test_strength_follows_the_batches_of_a_run():
    name = "controllable_augmentations_tiny"
    changes = ControllableAugmentations.changes_for(name, 100, 16, 500)
    assert changes == {"reversal_ramp": 100, "chunks": 1}
    model = tiny.build(reversal_ramp=2, loss_weights={"mutual_information": 1.0})
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    before = model.backbone.get_weights()[0]
    model.fit(batches(), steps_per_epoch=1, verbose=0)
    # At strength 0 the critic learns alone.
    np.testing.assert_array_equal(model.backbone.get_weights()[0], before)
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert (model.backbone.get_weights()[0] != before).any()


def test_regions_can_be_exported():
    model = tiny.build()
    models = model.inference_models()
    assert list(models) == ["representation", "regions"]
    clips = tiny.draw_clips(np.random.default_rng(0))[:, :, :16, :16]
    found = models["regions"].predict(clips, verbose=0)
    assert found.shape == (4, 8, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-4)


@pytest.mark.parametrize("name", ControllableAugmentations.presets)
def test_presets_have_regions_that_fit_their_clips(name):
    preset = ControllableAugmentations.presets[name]
    backbone = {**preset["backbone"], "width_multiplier": 0.0625}
    clip, size = preset["clip"], preset["views"]["size"]
    shape = (clip["num_frames"], size, size, 3)
    backbone = ControllableAugmentations.backbone_cls(**backbone, image_shape=shape)
    task = preset["task"]
    feature_map = backbone.stages[task["region_stage"]]
    assert all(
        length % cells == 0
        for length, cells in zip(feature_map.shape[1:4], task["grid"], strict=True)
    )
    assert set(task["time_stages"]) <= set(backbone.stages)
    assert clip["size"] >= size


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="unknown terms"):
        tiny.build(loss_weights={"regions": 1.0})
    with pytest.raises(ValueError, match="empty"):
        tiny.build(loss_weights={})
    with pytest.raises(ValueError, match="region_stage"):
        tiny.build(region_stage="stage9")
    with pytest.raises(ValueError, match="time_stages"):
        tiny.build(time_stages={"stage0": 1.0})
    with pytest.raises(ValueError, match="`information` must be one of"):
        tiny.build(information="mine")
    with pytest.raises(ValueError, match="`temperature` must be above 0"):
        tiny.build(temperature=0.0)
    with pytest.raises(ValueError, match="`ignore_same_video_negatives`"):
        tiny.build(ignore_same_video_negatives=True, target="gaussian")
    views = ControllableAugmentationsViews(size=16, gray=0, jitter=0)
    with pytest.raises(ValueError, match="views that change colours"):
        tiny.build(information="colours", views=views)
    with pytest.raises(ValueError, match="`order` must be one of"):
        tiny.build(order="shuffle")


def test_the_sampler_follows_the_clip():
    model = tiny.build()
    sampler = model.training_sampler({"num_frames": 4, "stride": 2})
    assert (sampler.num_local, sampler.num_frames, sampler.strides) == (2, 4, (2, 4))
    assert model.clips_per_video == 3


def test_layers_survive_their_config():
    layers = (
        TemporalOrderHead(3, 8, 4, "classification", 0.2),
        MutualInformationMinimisation("club", 9),
    )
    for layer in layers:
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()
