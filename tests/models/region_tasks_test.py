"""The downstream tasks of regions: actions in boxes, and tracking."""

import math

import keras
import numpy as np
import pytest
import tiny_const_cl as tiny
from keras import ops

from keras_avrep.layers import CrossCorrelation2D
from keras_avrep.losses import (
    masked_binary_crossentropy,
    near_target,
    response_loss,
)
from keras_avrep.models import ActionLocaliser, ConSTCL, SiameseTracker, track
from keras_avrep.models.const_cl import TrackingSettings, context_crop
from keras_avrep.models.const_cl.tracking import _State, context_side, upsample

RNG = np.random.default_rng(0)


def value(x):
    return float(ops.convert_to_numpy(x))


def draw(*shape):
    return RNG.normal(size=shape).astype("float32")


# --- losses and layers ----------------------------------------------------------


def test_the_loss_of_boxes_is_summed_over_classes_and_leaves_padding_out():
    labels = np.array([[[1, 0, 1], [0, 0, 1]], [[1, 1, 1], [-1, -1, -1]]], "float32")
    logits = draw(2, 2, 3)
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    entropy = -np.where(labels > 0, np.log(p), np.log(1 - p)).sum(-1)
    expected = (entropy[0].sum() + entropy[1, 0]) / 3
    found = masked_binary_crossentropy(labels, logits)
    assert value(found) == pytest.approx(expected, abs=1e-5)
    assert value(masked_binary_crossentropy(labels * 0 - 1, logits)) == 0.0


def test_cross_correlation_is_the_sum_over_the_window():
    search, exemplar = draw(2, 6, 7, 3), draw(2, 2, 4, 3)
    found = ops.convert_to_numpy(CrossCorrelation2D(0.5)(search, exemplar))
    assert found.shape == (2, 5, 4)
    for b, u, v in np.ndindex(found.shape):
        window = search[b, u : u + 2, v : v + 4]
        assert found[b, u, v] == pytest.approx(
            0.5 * (window * exemplar[b]).sum(), abs=1e-4
        )


def test_cells_near_the_target_are_positive():
    near = ops.convert_to_numpy(
        near_target(np.array([[0.0, 0.0], [16.0, -8.0]]), (5, 5))
    )
    expected = [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]
    assert near[0].astype(int).tolist() == expected
    assert near[1][4].astype(int).tolist() == [1, 1, 1, 1, 0][:5]


def test_the_response_loss_prefers_the_target():
    shift = np.zeros((2, 2), "float32")
    flat = value(response_loss(shift, np.zeros((2, 9, 9), "float32")))
    assert flat == pytest.approx(math.log(2), abs=1e-5)
    sign = np.where(ops.convert_to_numpy(near_target(shift, (9, 9))), 1.0, -1.0)
    assert (
        value(response_loss(shift, 2 * sign))
        < flat
        < value(response_loss(shift, -sign))
    )
    plain = value(response_loss(shift, sign, focusing=0.0))
    assert plain == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-5)


# --- action localisation --------------------------------------------------------


def localiser(**kwargs):
    keras.utils.set_random_seed(0)
    sizes = {"num_layers": 1, "num_heads": 2, "head_dim": 8, "dropout": 0.0}
    backbone = tiny.build().region_backbone()
    return ActionLocaliser(backbone, 3, **{**sizes, **kwargs})


def scene():
    """Clips with a bright and a dark half; a box on either."""
    clips = RNG.uniform(0, 60, (6, 4, 32, 32, 3)).astype("float32")
    clips[:, :, :, 16:] += 180
    boxes = np.array([[0.1, 0.0, 0.9, 0.4], [0.1, 0.6, 0.9, 1.0], [0, 0, 0.1, 0.1]])
    labels = np.array([[1, 0, 1], [0, 1, 1], [-1, -1, -1]])
    boxes, labels = (
        np.repeat(x[None], 6, 0).astype("float32") for x in (boxes, labels)
    )
    return {"video": clips, "boxes": boxes}, labels


def test_a_localiser_learns_what_is_in_a_box_on_frozen_features():
    model = localiser(train_backbone=False)
    inputs, labels = scene()
    model.compile(
        keras.optimizers.Adam(0.02), masked_binary_crossentropy, jit_compile=False
    )
    before = model.backbone.get_weights()
    model.fit(inputs, labels, epochs=25, batch_size=6, verbose=0)
    scores = model.scores.predict(inputs, verbose=0)
    assert scores.shape == (6, 3, 3)
    np.testing.assert_array_equal(scores[:, :2] > 0.5, labels[:, :2] > 0)
    for a, b in zip(before, model.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_localiser_comes_back_from_its_preset(tmp_path):
    model = localiser()
    inputs, _ = scene()
    model.save_to_preset(str(tmp_path))
    loaded = ActionLocaliser.from_preset(str(tmp_path))
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(
        loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize("task", [ActionLocaliser, SiameseTracker])
def test_a_task_takes_the_branch_of_the_regions_over(task, tmp_path):
    source = tiny.build(seed=3)
    source.save_to_preset(str(tmp_path / "system"))
    source.region_backbone().save_to_preset(str(tmp_path / "bare"))
    kwargs = {"num_classes": 2} if task is ActionLocaliser else SIZES
    for folder in ("system", "bare"):
        found = task.from_preset(str(tmp_path / folder), **kwargs).backbone
        weights = zip(
            source.region_backbone().get_weights(), found.get_weights(), strict=True
        )
        for a, b in weights:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("folder", ["system", "bare"])
def test_a_task_and_its_backbone_are_of_the_type_asked_for(folder, tmp_path):
    source = tiny.build()
    source.save_to_preset(str(tmp_path / "system"))
    source.region_backbone().save_to_preset(str(tmp_path / "bare"))
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = SiameseTracker.from_preset(
            str(tmp_path / folder), dtype="float32", **SIZES
        )
    finally:
        keras.config.set_dtype_policy(policy)
    assert found.backbone.dtype_policy.name == "float32"


def test_a_built_in_name_gives_a_fresh_task():
    model = ActionLocaliser.from_preset(
        "const_cl_tiny", load_weights=False, num_classes=4
    )
    assert model.output_shape == (None, None, 4)
    expected = ConSTCL.presets["const_cl_tiny"]["backbone"]["width_multiplier"]
    assert model.backbone.width_multiplier == expected
    with pytest.raises(ValueError, match="load_weights=False"):
        ActionLocaliser.from_preset("const_cl_resnet3d_50", num_classes=4)


# --- tracking -------------------------------------------------------------------

SIZES = {"exemplar_size": 32, "search_size": 64, "num_frames": 2}


def tracker():
    keras.utils.set_random_seed(0)
    return SiameseTracker.for_backbone(tiny.build().region_backbone(), **SIZES)


def test_only_the_two_convolutions_of_a_tracker_learn(tmp_path):
    model = tracker()
    names = sorted(v.path for v in model.trainable_variables)
    assert names == [
        f"{part}_adjust/{kind}"
        for part in ("exemplar", "search")
        for kind in ("bias", "kernel")
    ]
    inputs = {
        "exemplar": 255 * RNG.random((2, 32, 32, 3)),
        "search": 255 * RNG.random((2, 64, 64, 3)),
    }
    response = model.predict(inputs, verbose=0)
    assert response.shape == (2, 5, 5)
    apart = model.search.predict(
        {
            "search": inputs["search"],
            "template": model.template.predict(inputs["exemplar"], verbose=0),
        },
        verbose=0,
    )
    np.testing.assert_allclose(apart, response, atol=1e-5)
    model.save_to_preset(str(tmp_path))
    loaded = SiameseTracker.from_preset(str(tmp_path))
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(loaded.predict(inputs, verbose=0), response, atol=1e-5)


def test_a_trunk_of_another_stride_is_refused():
    from keras_avrep.backbones import ResNet3DBackbone

    backbone = ResNet3DBackbone(blocks=[1] * 4, width_multiplier=0.0625)
    with pytest.raises(ValueError, match="for_backbone"):
        SiameseTracker(backbone)
    assert SiameseTracker.for_backbone(backbone, **SIZES).backbone.dilations == [
        1,
        1,
        2,
        4,
    ]


def test_crops_are_centred_and_padded_with_the_mean():
    frame = np.zeros((20, 30, 3), "float32")
    frame[8:12, 13:17] = 100.0
    crop = context_crop(frame, (9.5, 14.5), side=8.0, size=16)
    assert crop.shape == (16, 16, 3)
    np.testing.assert_allclose(crop, crop[::-1, ::-1], atol=1e-3)
    assert crop[8, 8, 0] == pytest.approx(100.0)
    corner = context_crop(frame, (0, 0), side=20.0, size=10)
    np.testing.assert_allclose(corner[:4, :4], frame.mean(), atol=1e-4)
    np.testing.assert_allclose(corner[6, 6], 0.0)
    assert context_side((10, 10), 0.5) == pytest.approx(20.0)


def test_upsampling_keeps_the_place_of_a_peak():
    y, x = np.mgrid[:9, :9]
    response = np.exp(-((y - 5) ** 2 + (x - 2) ** 2) / 3)
    fine = upsample(response, 16)
    assert fine.shape == (144, 144)
    place = (np.array(np.unravel_index(fine.argmax(), fine.shape)) + 0.5) / 16 - 0.5
    np.testing.assert_allclose(place, [5, 2], atol=0.1)


class PatchTracker:
    """A tracker whose features are pixels of a coarse grid, to test the loop alone."""

    exemplar_size, search_size = 32, 96

    @property
    def template(self):
        return _Predict(lambda images: coarse(images))

    @property
    def search(self):
        return _Predict(
            lambda inputs: match(coarse(inputs["search"]), inputs["template"])
        )


class _Predict:
    def __init__(self, function):
        self.predict_on_batch = function


def coarse(images):
    count, size, _, channels = images.shape
    cells = images.reshape(count, size // 8, 8, size // 8, 8, channels)
    return cells.mean((2, 4)) / 128 - 1


def match(search, template):
    return ops.convert_to_numpy(
        CrossCorrelation2D()(search.astype("float32"), template)
    )


def test_the_loop_follows_a_moving_square():
    frames = np.full((12, 96, 96, 3), 20.0, "float32")
    truth = []
    for t in range(12):
        left, top = 20 + 3 * t, 40 - 2 * t
        frames[t, top : top + 16, left : left + 16] = 250.0
        truth.append([left, top, 16, 16])
    boxes = track(PatchTracker(), frames, truth[0])
    assert boxes.shape == (12, 4)
    np.testing.assert_allclose(boxes[0], truth[0])
    centres = boxes[:, :2] + (boxes[:, 2:] - 1) / 2
    expected = np.array(truth)[:, :2] + 7.5
    assert np.abs(centres - expected).max() < 3
    still = track(
        PatchTracker(), frames[[0] * 4], truth[0], TrackingSettings(num_scales=1)
    )
    np.testing.assert_allclose(still, [truth[0]] * 4, atol=1.5)


def test_where_a_target_is_does_not_depend_on_other_scales():
    frame = np.full((96, 96, 3), 20.0, "float32")
    target = _State(PatchTracker(), frame, (40, 40, 16, 16), TrackingSettings())
    response = np.random.default_rng(0).uniform(size=(33, 33))
    response[20, 9] = 2
    expected = target._windowed(response)
    # A map of another scale that goes further down moves this one up.
    for lowered in (1.0, 10.0, 1000.0):
        np.testing.assert_allclose(target._windowed(response + lowered), expected)
