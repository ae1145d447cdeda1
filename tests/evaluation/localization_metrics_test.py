"""The metrics of Keras say the same as the scores of whole arrays."""

import keras
import numpy as np
import pytest
from configurations import assert_configuration_comes_back
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_avrep.evaluation import (
    ClassAwareIoU,
    LocalizationAUC,
    LocalizationIoU,
    NoSoundingArea,
    box_mask,
    class_aware_scores,
    class_masks,
    localization_scores,
)

LEFT, QUARTER = [0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.5, 0.5]
GRID = 16


def value_after(metric, masks, maps, size=3, **kwargs):
    """What a metric says after batches of a size."""
    for first in range(0, len(maps), size):
        rows = slice(first, first + size)
        more = {name: array[rows] for name, array in kwargs.items()}
        metric.update_state(masks[rows], maps[rows], **more)
    return float(metric.result())


def drawn(rng, count=7, classes=6):
    """Boxes with classes, some of them of nothing, masks, and distributions."""
    corners = np.sort(rng.random((count, 4, 2, 2)), axis=-2).reshape(count, 4, 4)
    kept = rng.integers(0, 4, count)
    boxes = [one[:k] for one, k in zip(corners, kept, strict=True)]
    ids = [rng.integers(0, classes, len(one)) for one in boxes]
    masks = [
        class_masks(one, k, classes, GRID) for one, k in zip(boxes, ids, strict=True)
    ]
    maps = rng.dirichlet(np.full(classes, 0.4), (count, 5, 5))
    return boxes, ids, np.moveaxis(np.stack(masks), 1, -1), maps


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_class_aware_measures_are_those_of_whole_arrays(seed):
    boxes, ids, masks, maps = drawn(np.random.default_rng(seed))
    expected = class_aware_scores(maps, boxes, ids, 0.5, grid=GRID)
    for metric, name in (
        (ClassAwareIoU(), "ciou_at_30"),
        (ClassAwareIoU(at=0.5), "ciou_at_50"),
        (LocalizationAUC(threshold=0.5), "auc"),
        (NoSoundingArea(), "nsa"),
    ):
        found = value_after(metric, masks, maps)
        assert found == pytest.approx(expected[name], abs=1e-3, nan_ok=True), name


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_measures_of_one_source_are_those_of_whole_arrays(seed):
    boxes, _, masks, maps = drawn(np.random.default_rng(seed))
    masks, maps = masks.any(axis=-1), maps[..., 0]
    expected = localization_scores(maps, boxes, 0.1, grid=GRID)
    iou = value_after(LocalizationIoU(), masks, maps)
    assert iou == pytest.approx(expected["iou_at_50"], nan_ok=True)
    auc = value_after(LocalizationAUC(), masks, maps)
    assert auc == pytest.approx(expected["auc"], abs=1e-3, nan_ok=True)


def test_overlaps_by_hand():
    maps = np.stack([box_mask([box], 8) for box in (LEFT, LEFT, QUARTER)])
    masks = np.stack([box_mask([box], 8) for box in (LEFT, QUARTER, LEFT)])
    # All right; a half too much; half of it. Exactly 0.5 counts.
    maps, masks = maps.astype("float32"), masks.astype("float32")
    assert value_after(LocalizationIoU(0.5), masks, maps) == 1
    assert value_after(LocalizationIoU(0.55), masks, maps) == pytest.approx(1 / 3)
    auc = np.trapezoid([1] * 11 + [1 / 3] * 10, dx=0.05)
    assert value_after(LocalizationAUC(), masks, maps) == pytest.approx(auc)


def test_weights_of_frames_and_a_new_start():
    maps = np.stack([box_mask([box], 8) for box in (LEFT, QUARTER)]).astype("float32")
    masks = np.stack([box_mask([LEFT], 8)] * 2)
    metric = LocalizationIoU(0.6)
    weights = np.array([1.0, 3.0])
    assert value_after(metric, masks, maps, sample_weight=weights) == 0.25
    metric.reset_state()
    assert np.isnan(float(metric.result()))
    assert value_after(metric, masks, maps) == 0.5


def test_a_uniform_distribution_leaves_everything_alone():
    masks = np.zeros((2, 8, 8, 6), bool)
    masks[0, :4, :, 1] = True
    uniform = np.full((2, 4, 4, 6), 1 / 6)
    # The second frame has nothing that sounds and is passed over.
    metric = NoSoundingArea()
    assert value_after(metric, masks, uniform) == 1
    assert float(metric.frames) == 1
    assert value_after(NoSoundingArea(0.1), masks, uniform) == 0


def test_maps_of_a_localiser_are_counted_batch_by_batch():
    from tiny_csol import build, draw_inputs

    model = build()
    features = np.eye(3, model.dictionary.dim, dtype="float32")
    model.dictionary.refresh(features, [0, 1, 2])
    inputs = draw_inputs(np.random.default_rng(0), 5)
    boxes, ids = [[LEFT]] * 4 + [[]], [[0], [1], [2], [0], []]
    masks = np.stack([class_masks(b, k, 3, 8) for b, k in zip(boxes, ids, strict=True)])
    masks = np.moveaxis(masks, 1, -1)
    metrics = [ClassAwareIoU(at=0.1), NoSoundingArea(0.4)]
    maps = []
    for rows in (slice(0, 2), slice(2, 5)):
        batch = {name: array[rows] for name, array in inputs.items()}
        maps.append(model.predict_on_batch(batch)["class_maps"])
        for metric in metrics:
            metric.update_state(masks[rows], maps[-1])
    maps = np.concatenate(maps)
    expected = class_aware_scores(maps, boxes, ids, 0.5, 0.4, grid=8)
    share = np.mean(expected["overlaps"][:4] >= 0.1)
    assert float(metrics[0].result()) == pytest.approx(share)
    assert float(metrics[1].result()) == pytest.approx(expected["nsa"], abs=1e-4)


@pytest.mark.parametrize(
    "metric",
    [
        LocalizationIoU(0.4, 0.2),
        ClassAwareIoU(0.5, 0.3, name="overlap"),
        LocalizationAUC(0.3),
        NoSoundingArea(0.3),
    ],
    ids=lambda m: type(m).__name__,
)
def test_configurations_come_back(metric):
    assert_configuration_comes_back(metric)


def test_counts_are_float32_under_any_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    metric = LocalizationIoU(0.6)
    maps = keras.ops.cast(np.stack([box_mask([LEFT], 8)]), "bfloat16")
    metric.update_state(np.stack([box_mask([LEFT], 8)]), maps)
    assert float(metric.result()) == 1
    assert keras.backend.standardize_dtype(metric.result().dtype) == "float32"


def test_impossible_overlaps_are_refused():
    with pytest.raises(ValueError, match="at"):
        LocalizationIoU(at=0.0)
    with pytest.raises(ValueError, match="at"):
        ClassAwareIoU(at=1.5)
