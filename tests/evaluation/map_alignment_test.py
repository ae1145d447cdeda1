import keras
import numpy as np
import pytest
import tiny_csol

from keras_avrep.backbones import ResNet3DBackbone, VideoResNetBackbone
from keras_avrep.evaluation import aligned_clip_maps, localization_scores
from keras_avrep.evaluation.localize_video import predict_maps
from keras_avrep.evaluation.map_alignment import aligned_maps


def test_values_go_where_they_were_seen():
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, 1, 2] = 1
    np.testing.assert_array_equal(aligned_maps(maps, 0.5), maps)
    # Seen at the corner of its cell, so a quarter and half of the picture in.
    fine = aligned_maps(maps, 0.0, finer=8)[0]
    rows, columns = fine.mean(axis=1), fine.mean(axis=0)
    middle = (np.arange(32) + 0.5) / 32
    assert rows @ middle / rows.sum() == pytest.approx(1 / 4, abs=1e-6)
    assert columns @ middle / columns.sum() == pytest.approx(2 / 4, abs=1e-6)


def test_distributions_remain_so():
    maps = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 4))
    fine = aligned_maps(maps, 0.0)
    assert fine.shape == (2, 12, 16, 5)
    np.testing.assert_allclose(fine.sum(axis=-1), 1, atol=1e-6)


def test_networks_that_pad_both_sides_alike_look_at_corners():
    """The gradient of a cell lies around its corner, so alignment finds an object."""
    model = tiny_csol.build()
    frame = np.full((1, 160, 160, 3), 128, np.float32)
    plain = np.asarray(model.backbone(frame))
    changed = frame.copy()
    changed[:, 76:84, 76:84] = 255
    # A change in the middle of the picture changes what lies around cell 5 of 10.
    difference = np.abs(np.asarray(model.backbone(changed)) - plain).sum(axis=(0, 3))
    cells = np.arange(10)
    seen = (difference.sum(axis=1) @ cells) / difference.sum()
    assert seen == pytest.approx(80 / 16, abs=0.35)
    box = [[70 / 160, 70 / 160, 90 / 160, 90 / 160]]
    centre = [
        localization_scores(aligned_maps(difference[None], c), [box], 0.7)["overlaps"]
        for c in (0.5, 0.0)
    ]
    assert centre[1] > centre[0]


def test_a_model_says_where_its_values_belong():
    model = tiny_csol.build()
    inputs = tiny_csol.draw_inputs(np.random.default_rng(0))
    model.map_centre = 0.5
    plain = predict_maps(model, inputs, 4)
    model.map_centre = 0.0
    fine = predict_maps(model, inputs, 4)
    assert plain["class_maps"].shape == (4, 2, 2, 3)
    assert fine["class_maps"].shape == (4, 8, 8, 3)
    np.testing.assert_allclose(
        fine["sounding_map"], aligned_maps(plain["sounding_map"], 0.0), atol=1e-6
    )


@pytest.mark.parametrize("kind", [VideoResNetBackbone, ResNet3DBackbone])
def test_so_do_those_of_clips(kind):
    keras.utils.set_random_seed(0)
    backbone = kind(blocks=[1] * 4, width_multiplier=0.0625)
    clip = np.zeros((1, 2, 160, 160, 3), np.float32)
    still, missed = np.asarray(backbone(clip)), []
    # Over one cell: where strides skip pixels, a single place says little.
    for place in range(64, 96, 4):
        changed = clip.copy()
        changed[:, :, :, place - 4 : place + 4] = 2
        difference = np.abs(np.asarray(backbone(changed)) - still).sum(axis=-1)
        maps = aligned_clip_maps(difference, backbone.map_centre)
        columns = maps[0].sum(axis=(0, 1))
        places = (np.arange(len(columns)) + 0.5) * 160 / len(columns)
        missed.append(columns @ places / columns.sum() - place)
    assert np.mean(missed) == pytest.approx(0, abs=4)


def test_maps_in_the_middle_of_their_cells_stay():
    still = np.ones((1, 2, 3, 3), np.float32)
    np.testing.assert_array_equal(aligned_clip_maps(still, 0.5), still)
