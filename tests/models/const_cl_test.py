import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_const_cl as tiny
from ai_edge_litert.interpreter import Interpreter
from keras import ops

from keras_avrep.export import export_part
from keras_avrep.layers import unit_length
from keras_avrep.models import ConSTCL, ConSTCLViews
from keras_avrep.models.const_cl import RegionTransformHead
from keras_avrep.models.const_cl.const_cl_terms import match_regions
from keras_avrep.training import recalibrate_batch_norm
from keras_avrep.views import LinearDecaySampler

RNG = np.random.default_rng(0)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def count(layer):
    return sum(int(np.prod(v.shape)) for v in layer.trainable_variables)


def view_batch():
    views = tiny.draw_views(np.random.default_rng(0))
    return {name: ops.convert_to_tensor(x) for name, x in views.items()}


def losses_of(model, views):
    outputs = model.query_forward(views, {})
    return {k: float(to_numpy(v)) for k, v in model.compute_losses(outputs).items()}


# --- views ----------------------------------------------------------------------


def test_views_have_their_shapes():
    views = ConSTCLViews(size=16, num_boxes=5, seed=1)(tiny.draw_batch(RNG))
    shapes = {name: tuple(x.shape) for name, x in views.items()}
    assert shapes == {
        "video": (4, 2, 6, 16, 16, 3),
        "boxes": (4, 2, 5, 4),
        "frame_boxes": (4, 2, 5, 4),
        "box_mask": (4, 2, 5),
    }
    assert to_numpy(views["box_mask"]).all()
    assert np.isfinite(to_numpy(views["video"])).all()


def test_known_boxes_of_the_clips_follow_into_the_views():
    batch = tiny.draw_batch(RNG)
    known, mask = tiny.draw_boxes(RNG), RNG.random((4, 2, 3)) < 0.7
    mask[0] = [[True, False, True], [False, False, False]]
    batch |= {"boxes": known, "box_mask": mask, "record": np.arange(4)}
    make = ConSTCLViews(size=16, crop_scale=[1, 1], crop_ratio=[1, 1], flip=0.0)
    views = {name: to_numpy(x) for name, x in make(batch).items()}
    assert views.keys() == {"video", "boxes", "frame_boxes", "box_mask"}
    np.testing.assert_array_equal(views["box_mask"], mask)
    np.testing.assert_array_equal(views["frame_boxes"], known)
    inside = np.minimum(known, 0.999)
    np.testing.assert_allclose(views["boxes"][mask], inside[mask], atol=1e-5)
    assert not views["boxes"][~mask].any()
    # Each view of a clip has the boxes of that clip, in crops of its own.
    cropped = ConSTCLViews(size=16, crop_scale=[0.5, 0.6], flip=0.5, seed=2)(batch)
    seen, boxes = to_numpy(cropped["box_mask"]), to_numpy(cropped["boxes"])
    assert (seen <= mask).all() and seen.any()
    assert (boxes[seen][:, 2:] - boxes[seen][:, :2] >= 0.01).all()
    # A step of them, of a video whose second clip has no box, too.
    model = tiny.build(loss_weights={"global": 1.0, "local": 1.0})
    views = {name: ops.convert_to_tensor(x) for name, x in views.items()}
    _, losses, gradients = model.loss_gradients(views)
    assert np.isfinite(to_numpy(losses["local"])) and to_numpy(losses["local"]) > 0
    assert all(np.isfinite(to_numpy(g)).all() for g in gradients)


def test_the_two_views_are_treated_unlike():
    frame = RNG.integers(0, 255, (16, 1, 1, 32, 32, 3))
    video = np.repeat(frame, 2, axis=1).astype("uint8")
    plain = {"size": 32, "crop_scale": [1, 1], "crop_ratio": [1, 1], "flip": 0.0}
    plain.update(jitter=0.0, gray=0.0, seed=0)
    same = to_numpy(
        ConSTCLViews(blur=[0, 0], solarise=[0, 0], **plain)({"video": video})["video"]
    )
    np.testing.assert_allclose(same[:, 0], same[:, 1], atol=1e-5)
    odd = to_numpy(
        ConSTCLViews(blur=[1, 0], solarise=[0, 1], **plain)({"video": video})["video"]
    )

    def roughness(x):
        return np.abs(np.diff(x, axis=3)).mean()

    assert roughness(odd[:, 0]) < 0.9 * roughness(same[:, 0])
    pixels = video[:, 1] / 255.0
    inverted = np.where(pixels < 0.5, pixels, 1 - pixels)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(odd[:, 1], (inverted - mean) / std, atol=1e-4)


def test_views_survive_their_configuration():
    views = ConSTCLViews(size=16, blur=[0.5, 0.1], shared_draw=True)
    again = ConSTCLViews.from_config(views.get_config())
    assert again.get_config() == views.get_config()


# --- the local head -------------------------------------------------------------


def test_the_head_has_the_parameters_of_the_note():
    head = RegionTransformHead()
    head.build((None, 8, 7, 7, 2048), (None, 8, 4))
    assert count(head.decoder) == 6_139_776
    assert count(head.projection) == 788_480
    assert count(head.position) == 100
    assert count(head) == 6_139_776 + 788_480 + 100


def head_inputs():
    maps = RNG.uniform(size=(4, 4, 5, 5, 12)).astype("float32")
    boxes = tiny.draw_boxes(RNG)[:, 0]
    return maps, boxes


def test_regions_are_rewritten_with_the_other_view_as_context():
    maps, boxes = head_inputs()
    head = RegionTransformHead(context_length=3, num_layers=1, head_dim=8)
    before = {k: to_numpy(v) for k, v in head(maps, boxes).items()}
    assert before["regions"].shape == before["transformed"].shape == (4, 3, 12)
    other = maps.copy()
    other[2] = 1 - other[2]  # the second view of the first video
    after = {k: to_numpy(v) for k, v in head(other, boxes).items()}
    moved = np.abs(after["transformed"] - before["transformed"]).max((1, 2)) > 1e-6
    assert moved.tolist() == [True, False, True, False]
    moved = np.abs(after["regions"] - before["regions"]).max((1, 2)) > 1e-6
    assert moved.tolist() == [False, False, True, False]


def test_only_steps_near_the_middle_are_context():
    maps, boxes = head_inputs()
    head = RegionTransformHead(context_length=1, num_layers=1, head_dim=8)
    before = to_numpy(head(maps, boxes)["transformed"])
    maps[:, [0, 1, 3]] = 0
    np.testing.assert_allclose(to_numpy(head(maps, boxes)["transformed"]), before)


def test_region_features_are_means_of_unit_features():
    maps, _ = head_inputs()
    whole = np.tile(np.array([[[0, 0, 1, 1]]], "float32"), (4, 1, 1))
    head = RegionTransformHead("mlp", roi_size=5, num_layers=1, head_dim=8)
    found = to_numpy(head(maps, whole)["regions"])[:, 0]
    # Five bins over five cells sample halfway between cells, the last cell twice.
    unit = to_numpy(unit_length(maps[:, 2]))
    for axis in (1, 2):
        following = np.concatenate(
            [np.delete(unit, 0, axis), np.take(unit, [-1], axis)], axis
        )
        unit = (unit + following) / 2
    np.testing.assert_allclose(found, unit.mean((1, 2)), atol=1e-5)


def test_a_dead_map_has_a_finite_gradient():
    model = tiny.build_for_steps()
    for variable in model.local_stage.trainable_variables:
        if "beta" in variable.path or "gamma" in variable.path:
            variable.assign(ops.zeros_like(variable))
    _, _, gradients = loss_gradients(model)
    assert all(np.isfinite(to_numpy(g)).all() for g in gradients)


def loss_gradients(model):
    views = view_batch()
    model.make_views = lambda batch: batch
    return model.loss_gradients(views)


def test_unknown_heads_are_refused():
    with pytest.raises(ValueError, match="head"):
        RegionTransformHead("linear")


# --- matching -------------------------------------------------------------------


def view(regions, boxes=None, mask=None):
    regions = np.asarray(regions, "float32")
    if mask is None:
        mask = np.ones(regions.shape[:2], bool)
    return {
        "regions": regions,
        "frame_boxes": boxes,
        "mask": ops.convert_to_tensor(mask),
    }


def test_matches_follow_their_rule():
    eye = np.eye(3, dtype="float32")[None]
    boxes = np.array([[[0, 0, 0.2, 0.2], [0.4, 0.4, 0.6, 0.6], [0.8, 0.8, 1, 1]]])
    first = view(eye, boxes.astype("float32"))
    second = view(eye[:, [1, 2, 0]], boxes[:, ::-1].astype("float32"))
    expected = {"argmax": [2, 0, 1], "index": [0, 1, 2], "geometric": [2, 1, 0]}
    for match, numbers in expected.items():
        found, counted = match_regions(match, first, second, None)
        assert to_numpy(found)[0].tolist() == numbers
        assert to_numpy(counted).all()
    allowed = ops.convert_to_tensor(np.array([[True, True, False]]))
    found, counted = match_regions("argmax", first, second, allowed)
    assert to_numpy(found).max() < 2
    for match in ("index", "geometric"):
        _, counted = match_regions(match, first, second, allowed)
        number = {"index": 2, "geometric": 0}[match]
        assert to_numpy(counted)[0].tolist() == [n != number for n in range(3)]
    # The other view may show none of them.
    for match in expected:
        _, counted = match_regions(match, first, second, ops.zeros((1, 3), "bool"))
        assert not to_numpy(counted).any()


# --- the system -----------------------------------------------------------------


def test_terms_that_are_left_out_are_not_built():
    model = tiny.build(**ConSTCL.baseline)
    assert model.region_head is None
    assert model.local_stage is None
    assert list(losses_of(model, view_batch())) == ["global"]
    assert list(model.inference_models()) == ["representation"]


def test_the_branches_differ_by_one_last_stage():
    y, shared = tiny.build(), tiny.build(branch="shared")
    stage = y.backbone.stage_copy("stage4", "other")
    assert count(y) - count(shared) == count(stage)
    assert shared.local_stage is None


def test_the_global_term_does_not_reach_the_branch_of_the_regions():
    model = tiny.build(loss_weights={"global": 1.0, "local": 0.0})
    total, losses, gradients = loss_gradients(model)
    assert float(to_numpy(total)) == pytest.approx(float(to_numpy(losses["global"])))
    own = {id(v) for v in [*model.local_stage.variables, *model.region_head.variables]}
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if id(variable) in own:
            assert not np.any(to_numpy(gradient)), variable.path
    assert any(np.any(to_numpy(g)) for g in gradients)


SWITCHES = [
    {"local_head": "mlp"},
    {"context_length": 1},
    {"match": "index"},
    {"match": "geometric"},
    {"same_video_negatives": True},
]


def test_every_switch_changes_the_local_term_and_nothing_else():
    views = view_batch()
    reference = losses_of(tiny.build(), views)
    for switch in SWITCHES:
        model = tiny.build(**switch)
        assert {name: model.get_config()[name] for name in switch} == switch
        found = losses_of(model, views)
        assert found["global"] == pytest.approx(reference["global"], abs=1e-4)
        assert abs(found["local"] - reference["local"]) > 1e-5, switch


def test_padding_counts_where_asked_for_only():
    views = view_batch()
    mask = np.ones(views["box_mask"].shape, bool)
    mask[:, :, 2] = False
    padded = {**views, "box_mask": ops.convert_to_tensor(mask)}
    boxes = to_numpy(views["boxes"]).copy()
    boxes[:, :, 2] = [0, 0, 0.3, 0.3]
    moved = {**padded, "boxes": ops.convert_to_tensor(boxes)}
    plain, masked = tiny.build(mask_targets=False), tiny.build()
    assert losses_of(masked, moved)["local"] == pytest.approx(
        losses_of(masked, padded)["local"], abs=1e-5
    )
    assert losses_of(plain, moved)["local"] != pytest.approx(
        losses_of(plain, padded)["local"], abs=1e-5
    )


def test_the_local_term_is_the_mean_of_both_directions():
    model, views = tiny.build(), view_batch()
    swapped = {name: ops.flip(x, axis=1) for name, x in views.items()}
    assert losses_of(model, views)["local"] == pytest.approx(
        losses_of(model, swapped)["local"], abs=1e-4
    )


def test_the_decay_counts_every_kernel_once():
    model = tiny.build(loss_weights={"global": 1.0, "local": 1.0, "kernel_l2": 1.0})
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    expected = sum(np.square(to_numpy(v)).sum() / 2 for v in kernels)
    found = losses_of(model, view_batch())["kernel_l2"]
    assert found == pytest.approx(expected, rel=1e-4)


def test_region_features_are_those_of_the_head():
    model = tiny.build()
    clips, boxes = tiny.draw_clips(RNG), tiny.draw_boxes(RNG)[:, 0]
    models = model.inference_models()
    found = models["region_features"].predict(
        {"video": clips, "boxes": boxes}, verbose=0
    )
    pixels = model.get_layer("normalise")(clips)
    maps = model.local_stage(model.trunk(pixels)["stage3"])
    expected = to_numpy(model.region_head.regions(maps, boxes))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    inputs = model.inference_inputs("region_features", clips)
    assert models["region_features"].predict(inputs, verbose=0).shape[:2] == (4, 8)


def test_exported_regions_take_any_number_of_boxes(tmp_path):
    model = tiny.build()
    regions = model.inference_models()["region_features"]
    clips = tiny.draw_clips(RNG)
    saved, litert = export_part(
        regions,
        tmp_path,
        model.inference_inputs("region_features", clips),
        name="regions",
        open_axes=model.open_axes("region_features"),
    )
    assert saved["inputs"]["boxes"] == [None, 4]
    assert litert["inputs"]["boxes"] == [8, 4]
    text = (tmp_path / "regions.md").read_text()
    assert "`boxes` (batch, any, 4)" in text and "places for 8" in text
    boxes = tiny.draw_boxes(RNG)[:, 0]
    expected = regions.predict({"video": clips, "boxes": boxes}, verbose=0)
    serve = tf.saved_model.load(str(tmp_path / saved["path"])).signatures[
        "serving_default"
    ]
    (found,) = serve(video=tf.constant(clips), boxes=tf.constant(boxes)).values()
    assert found.shape[1] == boxes.shape[1] == 3
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # A file for phones has eight places; those left are filled with zeros.
    filled = np.zeros((1, 8, 4), "float32")
    filled[:, :3] = boxes[:1]
    interpreter = Interpreter(model_path=str(tmp_path / litert["path"]))
    interpreter.allocate_tensors()
    run = interpreter.get_signature_runner("serving_default")
    (found,) = run(video=clips[:1], boxes=filled).values()
    np.testing.assert_allclose(found[:, :3], expected[:1], atol=1e-4)


def test_both_branches_are_calibrated():
    model = tiny.build()
    clips = tiny.draw_clips(np.random.default_rng(3))
    normalised = model.get_layer("normalise")(clips)
    before = to_numpy(model._maps(normalised, False)["local"])
    assert recalibrate_batch_norm(model.calibrated_model(), [clips]) == 1
    after = model._maps(normalised, False)
    expected = model._maps(normalised, True)
    for branch in ("global", "local"):
        found, known = to_numpy(after[branch]), to_numpy(expected[branch])
        np.testing.assert_allclose(found, known, atol=1e-3 * np.abs(known).max())
    assert np.abs(to_numpy(after["local"]) - before).max() > 0.1
    shared = tiny.build(branch="shared")
    assert shared.calibrated_model().output.shape == shared.outputs[0].shape


def test_the_backbone_of_the_regions_stands_alone():
    model = tiny.build()
    pixels = model.get_layer("normalise")(tiny.draw_clips(RNG))
    expected = to_numpy(model.local_stage(model.trunk(pixels)["stage3"]))
    copy = model.region_backbone()
    np.testing.assert_allclose(to_numpy(copy(pixels)), expected, atol=1e-5)
    assert not np.allclose(to_numpy(model.backbone(pixels)), expected, atol=1e-3)
    shared = tiny.build(branch="shared")
    np.testing.assert_allclose(
        to_numpy(shared.region_backbone()(pixels)),
        to_numpy(shared.backbone(pixels)),
        atol=1e-5,
    )


def test_a_preset_brings_everything_back(tmp_path):
    model = tiny.build(match="index")
    model.save_to_preset(str(tmp_path))
    loaded = ConSTCL.from_preset(str(tmp_path))
    assert loaded.get_config() == model.get_config()
    with pytest.raises(ValueError, match=r"`loss_weights`.*with 0 for those"):
        ConSTCL.from_preset(str(tmp_path), loss_weights={"global": 1.0})
    # What is wrong with other arguments is not put down to the weights.
    with pytest.raises(ValueError, match="unknown terms"):
        ConSTCL.from_preset(str(tmp_path), loss_weights={"globe": 1.0})
    with pytest.raises(ValueError, match="`views` is a dict"):
        ConSTCL.from_preset(str(tmp_path), views={"flip": 0.0})
    with pytest.raises(ValueError) as error:
        ConSTCL.from_preset(str(tmp_path / "gone"), loss_weights={"global": 1.0})
    assert "loss_weights" not in str(error.value)
    plain = {**dict.fromkeys(model.loss_weights, 0.0), "global": 1.0}
    other = ConSTCL.from_preset(str(tmp_path), loss_weights=plain)
    losses = {**dict.fromkeys(plain, 5.0), "global": 2.0}
    assert float(to_numpy(other.total_loss(losses))) == 2
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_learns_to_tell_a_few_videos_apart():
    model = tiny.build(2, loss_weights={"global": 1.0, "local": 1.0})
    # Each of other colours in its quarters, which every view has something of.
    quarters = np.random.default_rng(2).integers(0, 255, (4, 1, 1, 2, 2, 3), "uint8")
    still = quarters.repeat(14, axis=3).repeat(14, axis=4)
    batch = {"video": np.tile(still, (1, 2, 6, 1, 1, 1))}
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    losses = []
    log = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: losses.append(dict(logs))
    )
    batches = ((batch,) for _ in range(30))
    model.fit(batches, steps_per_epoch=30, callbacks=[log], verbose=0)
    # The logs are running means.
    for name in ("loss_global", "loss_local"):
        first, second, third = (losses[step - 1][name] for step in (10, 20, 30))
        assert 3 * third - 2 * second < 0.9 * first, name


def test_the_sampler_is_that_of_the_paper():
    sampler = tiny.build().training_sampler({"num_frames": 8, "stride": 1})
    assert isinstance(sampler, LinearDecaySampler)
    assert (sampler.num_frames, sampler.stride) == (8, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss_weights": {"globe": 1.0}}, "unknown"),
        ({"loss_weights": {"local": 1.0}}, "global"),
        ({"branch": "x"}, "branch"),
        ({"match": "nearest"}, "match"),
        ({"local_head": "linear"}, "`local_head`"),
        ({"context_length": 2}, "`context_length` must be odd"),
        ({"local_temperature": 0}, "`local_temperature` must be above 0"),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny.build(**changes)


@pytest.mark.parametrize("name", ConSTCL.presets)
def test_presets_fit_together(name):
    preset = ConSTCL.presets[name]
    views = ConSTCLViews(**preset["views"])
    clip = preset["clip"]
    backbone = ConSTCL.backbone_cls(**preset["backbone"])
    shape = (None, clip["num_frames"], views.size, views.size, 3)
    _, time, height, width, _ = backbone.compute_output_shape(shape)
    assert time >= preset["task"].get("context_length", 5)
    assert min(height, width) >= 6
    assert preset["description"]


def test_the_tiny_preset_is_tiny():
    model = ConSTCL.from_preset("const_cl_tiny", load_weights=False)
    assert model.backbone.count_params() < 450_000
