import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.views import FrameViews

PLAIN = {"flip": 0.0, "brightness": 0.0, "saturation": 0.0}


def view(frames, **kwargs):
    layer = FrameViews(**{**PLAIN, "size": 8, "seed": 0, **kwargs})
    return ops.convert_to_numpy(layer(frames))


def places(count=64, side=12):
    """Pictures in which every pixel says where it is."""
    rows, columns = np.mgrid[:side, :side]
    one = np.stack([rows, columns, 0 * rows], axis=-1).astype("float32")
    return np.repeat(one[None], count, axis=0)


def test_a_crop_is_of_whole_pixels_anywhere_in_the_picture():
    found = view(places())
    starts = found[:, 0, 0, :2]
    np.testing.assert_allclose(starts, starts.round(), atol=1e-3)
    assert set(starts.round().ravel()) == {0, 1, 2, 3, 4}
    rows = found[..., 0] - starts[:, :1, None]
    np.testing.assert_allclose(
        rows, np.broadcast_to(np.arange(8)[:, None], rows.shape), atol=1e-3
    )


def test_a_picture_of_the_right_size_stays_as_it_is():
    frames = places(3, 8)
    np.testing.assert_allclose(view(frames), frames, atol=1e-3)


def test_a_flip_mirrors_left_and_right():
    frames = places(3, 8)
    np.testing.assert_allclose(view(frames, flip=1.0), frames[:, :, ::-1], atol=1e-3)


def test_brightness_and_saturation_are_within_their_ranges():
    gray = np.full((256, 8, 8, 3), 100, "float32")
    factor = view(gray, brightness=0.3)[:, 0, 0, 0] / 100
    assert 0.7 <= factor.min() < 0.75
    assert 1.25 < factor.max() <= 1.3
    red = gray * np.array([1.0, 0.5, 0.5], "float32")
    spread = np.ptp(view(red, saturation=0.3)[:, 0, 0], axis=-1) / 50
    assert 0.7 <= spread.min() < 0.75
    assert 1.25 < spread.max() <= 1.31


def test_draws_come_from_the_seed():
    frames = np.random.default_rng(0).integers(0, 255, (4, 12, 12, 3), "uint8")
    np.testing.assert_array_equal(
        view(frames, brightness=0.3, flip=0.5), view(frames, brightness=0.3, flip=0.5)
    )


def test_its_configuration_comes_back():
    layer = FrameViews(16, flip=0.1, brightness=0.2, saturation=0.4, seed=3)
    again = FrameViews.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_object("keras_avrep>FrameViews") is FrameViews


def test_pictures_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="views of 8 need"):
        view(places(1, 6))
