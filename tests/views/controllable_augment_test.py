import numpy as np
from keras import ops

from keras_avrep.layers import RegionOverlap, RegionPool
from keras_avrep.views import ControllableAugment, augment

PLAIN = {"gray": 0.0, "jitter": 0.0}


def to_numpy(x):
    return ops.convert_to_numpy(x)


def pixels(normalised):
    """Back to values from 0 to 1."""
    mean, std = np.array(augment.IMAGENET_MEAN), np.array(augment.IMAGENET_STD)
    return to_numpy(normalised) * std + mean


def coordinates(count, size=40, frames=4):
    """Clips whose colours are where and when a pixel is, from 0 to 255."""
    places = (np.arange(size) + 0.5) / size
    clip = np.zeros((count, frames, size, size, 3), "float32")
    clip[..., 0] = places[:, None]
    clip[..., 1] = places
    clip[..., 2] = ((np.arange(frames) + 0.5) / frames)[:, None, None]
    return clip * 255


def test_the_record_says_where_each_pixel_came_from():
    size = 16
    layer = ControllableAugment(size, (0.3, 0.7), flip=0.5, seed=3, **PLAIN)
    clips, placement, colours = layer(coordinates(12))
    found, placement = pixels(clips), to_numpy(placement)
    assert (to_numpy(colours) == 0).all()
    assert 0 < placement[:, 4].sum() < 12
    centres = (np.arange(size) + 0.5) / size
    for clip, (y, x, height, width, flip) in zip(found, placement, strict=True):
        rows = y + centres * height
        columns = x + (1 - centres if flip else centres) * width
        # Not at the rim, where the filter is cut off by the picture's edge.
        inner = slice(1, -1)
        np.testing.assert_allclose(clip[0, inner, 3, 0], rows[inner], atol=0.004)
        np.testing.assert_allclose(clip[1, 5, inner, 1], columns[inner], atol=0.004)
        assert -1e-5 <= y <= y + height <= 1 + 1e-5
        assert -1e-5 <= x <= x + width <= 1 + 1e-5


def test_regions_that_look_alike_are_those_that_overlap_flipped_or_not():
    """A7: content and record agree, also where one view is mirrored."""
    grid, count, frames = (2, 4, 4), 64, 4
    local = ControllableAugment(16, (0.3, 0.7), flip=0.5, seed=1, **PLAIN)
    whole = ControllableAugment(16, (0.5, 1.0), flip=0.5, seed=2, **PLAIN)
    content = coordinates(count)
    shown, regions = [], []
    for layer in (local, whole):
        clips, placement, _ = layer(content)
        times = np.tile([[0.0, 1.0, frames]], (count, 1))
        shown.append(np.concatenate([times, to_numpy(placement)], -1))
        regions.append(to_numpy(RegionPool(grid)(pixels(clips))))
    weights, share = map(to_numpy, RegionOverlap(grid)(*np.float32(shown)))
    distance = ((regions[0][:, :, None] - regions[1][:, None]) ** 2).sum(-1)
    nearest = distance.argmin(-1)
    hit = np.take_along_axis(weights, nearest[..., None], -1)[..., 0] > 0
    mirrored = shown[0][:, -1] != shown[1][:, -1]
    assert 20 < mirrored.sum() < 44
    for chosen in (mirrored, ~mirrored):
        seen = share[chosen] > 0.5
        assert hit[chosen][seen].mean() > 0.99


def test_colours_are_on_record_and_follow_it():
    layer = ControllableAugment(
        16, (1.0, 1.0), 0.0, gray=0.3, jitter=0.5, blur=0.5, seed=1
    )
    rng = np.random.default_rng(0)
    content = rng.integers(0, 255, (24, 2, 16, 16, 3), "uint8")
    plain, _, _ = ControllableAugment(16, (1.0, 1.0), 0.0, seed=1, **PLAIN)(content)
    clips, _, colours = map(to_numpy, layer(content))
    same = np.abs(clips - to_numpy(plain)).max(axis=(1, 2, 3, 4)) < 1e-3
    unchanged = (colours == 0).all(axis=1)
    assert 0 < unchanged.sum() < 12
    # A blur of a fraction of a pixel is none.
    visible = (colours[:, :5] != 0).any(axis=1) | (colours[:, 5] > 0.4)
    assert same[unchanged].all() and not same[visible].any()
    values = pixels(clips)
    gray = np.ptp(values, axis=-1).max(axis=(1, 2, 3)) < 1e-3
    np.testing.assert_array_equal(gray, colours[:, 4] == 1)
    blurred = colours[:, 5] > 0
    assert 0 < blurred.sum() < 24
    assert (np.abs(colours[:, :4]) <= [0.4, 0.4, 0.4, 0.1]).all()
    brightness = colours[:, :1].ravel()
    means = values.mean(axis=(1, 2, 3, 4))
    assert np.corrcoef(brightness, means)[0, 1] > 0.9


def test_it_survives_its_configuration():
    layer = ControllableAugment(16, (0.3, 0.5), 0.1, 0.2, 0.3, (0.1,) * 4, 0.5, seed=1)
    again = ControllableAugment.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
