"""Values of the augmentations, by hand or beside scipy, and the ranges of draws."""

import colorsys
import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.ndimage import gaussian_filter1d

from keras_avrep.views import augment

RED, GREEN, BLUE = np.eye(3, dtype="float32")
NO_JITTER = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}


def to_numpy(x):
    return ops.convert_to_numpy(x)


def seed(number=0):
    return keras.random.SeedGenerator(number)


def tensor(x):
    return ops.convert_to_tensor(np.asarray(x, "float32"))


def tensor_of_ints(x):
    return ops.convert_to_tensor(np.asarray(x, "int32"))


def noise(*shape, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, shape).astype("float32")


def uniform_clips(colour, count=1):
    """Clips of one colour everywhere."""
    return np.tile(np.float32(colour), (count, 1, 2, 2, 1))


def gray_of(clip):
    """The luma of BT.601."""
    return clip @ np.array([0.299, 0.587, 0.114])


def adjusted(clip, brightness=1.0, contrast=1.0, saturation=1.0, hue=0.0):
    return to_numpy(
        augment.adjust_color(tensor(clip), brightness, contrast, saturation, hue)
    )


def jittered(clip, number=0, **strengths):
    options = {**NO_JITTER, "probability": 1.0, **strengths}
    return to_numpy(augment.color_jitter(tensor(clip), seed(number), **options))


# --- gray -----------------------------------------------------------------------


def test_gray_is_the_luma_in_all_channels():
    colours = np.stack([RED, GREEN, BLUE, RED + GREEN + BLUE])
    clips = np.concatenate([uniform_clips(colour) for colour in colours])
    gray = to_numpy(augment.grayscale(tensor(clips), seed(), probability=1.0))
    np.testing.assert_allclose(gray[:, 0, 0, 0, 0], [0.299, 0.587, 0.114, 1], atol=1e-6)
    np.testing.assert_array_equal(np.ptp(gray, axis=-1), 0)
    assert sum(augment.LUMA) == pytest.approx(1.0)


def test_whole_clips_are_gray_as_often_as_asked():
    clips = noise(400, 3, 2, 2, 3)
    gray = to_numpy(augment.grayscale(tensor(clips), seed(), probability=0.2))
    changed = (gray != clips).any(axis=-1).reshape(400, -1)
    assert (changed.all(axis=1) | ~changed.any(axis=1)).all()
    assert 0.14 < changed.any(axis=1).mean() < 0.26
    never = augment.grayscale(tensor(clips), seed(), probability=0.0)
    np.testing.assert_array_equal(to_numpy(never), clips)


# --- colours --------------------------------------------------------------------


def test_brightness_is_a_factor_that_is_cut_off_at_white():
    clip = noise(2, 2, 3, 3, 3)
    np.testing.assert_allclose(
        adjusted(clip, brightness=1.5), np.minimum(1.5 * clip, 1), atol=1e-6
    )
    each = tensor(np.reshape([0.5, 0.0], (2, 1, 1, 1, 1)))
    found = adjusted(clip, brightness=each)
    np.testing.assert_allclose(found[0], clip[0] / 2, atol=1e-6)
    np.testing.assert_allclose(found[1], 0, atol=1e-6)


def test_contrast_is_about_the_mean_luma_of_the_whole_clip():
    clip = noise(2, 3, 4, 4, 3, low=0.4, high=0.6)
    clip[:, 0] -= 0.1  # a darker frame stays darker than the others
    mean = gray_of(clip).mean(axis=(1, 2, 3)).reshape(2, 1, 1, 1, 1)
    np.testing.assert_allclose(
        adjusted(clip, contrast=1.5), mean + 1.5 * (clip - mean), atol=1e-6
    )
    np.testing.assert_allclose(
        adjusted(clip, contrast=0.0), np.broadcast_to(mean, clip.shape), atol=1e-6
    )


def test_saturation_is_about_the_luma_of_each_pixel():
    clip = noise(2, 2, 4, 4, 3, low=0.4, high=0.6)
    gray = gray_of(clip)[..., None]
    np.testing.assert_allclose(
        adjusted(clip, saturation=1.5), gray + 1.5 * (clip - gray), atol=1e-6
    )
    np.testing.assert_allclose(
        adjusted(clip, saturation=0.0), np.broadcast_to(gray, clip.shape), atol=1e-6
    )


def test_a_third_of_a_turn_makes_red_green():
    colours = [RED, GREEN, BLUE]
    clips = np.concatenate([uniform_clips(colour) for colour in colours])
    found = adjusted(clips, hue=1 / 3)[:, 0, 0, 0]
    np.testing.assert_allclose(found, np.stack([GREEN, BLUE, RED]), atol=1e-6)
    np.testing.assert_allclose(adjusted(clips, hue=1.0), clips, atol=1e-5)


def test_a_turn_of_hue_keeps_grays_and_how_far_a_colour_is_from_them():
    clip = noise(1, 2, 4, 4, 3, low=0.4, high=0.6)
    found = adjusted(clip, hue=0.1)
    np.testing.assert_allclose(found.mean(-1), clip.mean(-1), atol=1e-6)
    np.testing.assert_allclose(found.std(-1), clip.std(-1), atol=1e-6)
    assert np.abs(found - clip).max() > 0.01
    gray = np.repeat(clip[..., :1], 3, axis=-1)
    np.testing.assert_allclose(adjusted(gray, hue=0.1), gray, atol=1e-6)
    # In the same direction as the hue of HSV.
    before, after = (colorsys.rgb_to_hsv(*x[0, 0, 0, 0])[0] for x in (clip, found))
    assert (after - before) % 1 == pytest.approx(0.1, abs=0.02)


def test_jitter_of_no_strength_or_chance_changes_nothing():
    clip = noise(4, 2, 4, 4, 3)
    np.testing.assert_allclose(jittered(clip), clip, atol=1e-6)
    unlikely = jittered(clip, brightness=0.8, hue=0.2, probability=0.0)
    np.testing.assert_array_equal(unlikely, clip)


def test_jitter_changes_as_many_clips_as_asked():
    clips = uniform_clips([0.2, 0.3, 0.4], 400)
    found = jittered(clips, brightness=0.4, probability=0.8)
    changed = (found != clips).reshape(400, -1)
    assert 0.74 < changed.any(axis=1).mean() < 0.86


def test_a_clip_has_one_draw_for_all_its_frames_and_another_has_its_own():
    frame = noise(1, 1, 4, 4, 3, low=0.3, high=0.6)
    clips = np.tile(frame, (6, 5, 1, 1, 1))
    strengths = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}
    found = jittered(clips, **strengths)
    np.testing.assert_allclose(found, found[:, :1].repeat(5, axis=1), atol=1e-6)
    firsts = found[:, 0].reshape(6, -1)
    distance = np.abs(firsts[:, None] - firsts[None]).max(axis=-1)
    assert (distance + np.eye(6) > 0.01).all()
    # A seed says which draws these are.
    np.testing.assert_array_equal(found, jittered(clips, **strengths))
    assert np.abs(found - jittered(clips, number=1, **strengths)).max() > 0.01


ORDERS = np.array(list(itertools.permutations(range(4))))


def in_each_order(clip, factors):
    """One clip changed by the same factors in all orders, one change at a time."""
    found = []
    for order in ORDERS:
        x = clip[None]
        for kind in order:
            x = adjusted(x, **{list(NO_JITTER)[kind]: float(factors[kind])})
        found.append(x[0])
    return np.stack(found)


def test_changes_come_in_the_order_of_each_clip():
    clip, factors = noise(2, 4, 4, 3), (1.4, 0.6, 1.5, 0.15)
    clips = tensor(np.tile(clip, (len(ORDERS), 1, 1, 1, 1)))
    found = to_numpy(augment.adjust_color(clips, *factors, tensor_of_ints(ORDERS)))
    expected = in_each_order(clip, factors)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    first = found[:1].repeat(len(found), axis=0)
    assert (np.abs(found - first).max(axis=(1, 2, 3, 4))[1:] > 1e-3).all()


def test_each_order_is_drawn_about_as_often():
    clip, count = noise(2, 3, 3, 3), 480
    strengths = {"brightness": 0.4, "contrast": 0.8, "saturation": 0.8, "hue": 0.2}
    clips = np.tile(clip, (count, 1, 1, 1, 1))
    found = jittered(clips, random_order=True, **strengths)
    # The factors are drawn before the order, so they are those of the fixed one.
    generator = seed()
    keras.random.uniform((count, 1, 1, 1, 1), seed=generator)
    factors = [
        to_numpy(augment._factor(tensor(clips), generator, strength))
        for strength in strengths.values()
    ]
    factors[3] = factors[3] - 1
    distances = []
    for order in ORDERS:
        orders = tensor_of_ints(np.tile(order, (count, 1)))
        known = augment.adjust_color(tensor(clips), *map(tensor, factors), orders)
        distances.append(np.abs(to_numpy(known) - found).max(axis=(1, 2, 3, 4)))
    distances = np.stack(distances)
    assert distances.min(axis=0).max() < 1e-5
    counts = np.bincount(distances.argmin(axis=0), minlength=len(ORDERS))
    assert counts.min() >= 6 and counts.max() <= 40
    np.testing.assert_array_equal(
        found, jittered(clips, random_order=True, **strengths)
    )


def two_grays(count):
    clips = uniform_clips([0.5] * 3, count)
    clips[:, :, 0] = 0.45
    clips[:, :, 1] = 0.55
    return clips


def factors_of(name, strength, count=300):
    """What a jitter of one kind did to each of many clips, measured."""
    if name == "brightness":
        return jittered(two_grays(count), brightness=strength).mean((1, 2, 3, 4)) / 0.5
    if name == "contrast":
        found = jittered(two_grays(count), contrast=strength)[:, 0, :, 0, 0]
        return (found[:, 1] - found[:, 0]) / 0.1
    colour = np.float32([0.5, 0.45, 0.4])
    if name == "saturation":
        found = jittered(uniform_clips(colour, count), saturation=strength)
        return (found[:, 0, 0, 0, 0] - found[:, 0, 0, 0, 2]) / 0.1
    found = jittered(uniform_clips(colour, count), hue=strength)[:, 0, 0, 0]
    return 1 + (turn_of(found) - turn_of(colour) + 0.5) % 1 - 0.5


def turn_of(colour):
    """Angle about the gray axis as a share of a full circle."""
    red, green, blue = np.moveaxis(colour, -1, 0)
    angle = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    return angle / (2 * np.pi)


@pytest.mark.parametrize(
    ("name", "strength"),
    [("brightness", 0.4), ("contrast", 0.8), ("saturation", 0.5), ("hue", 0.1)],
)
def test_draws_fill_the_range_of_a_strength(name, strength):
    found = factors_of(name, strength) - 1
    assert np.abs(found).max() <= strength + 1e-4
    assert found.min() < -0.95 * strength and found.max() > 0.95 * strength
    assert abs(found.mean()) < 0.1 * strength


# --- blur -----------------------------------------------------------------------


@pytest.mark.parametrize(("sigma", "kernel"), [(0.8, 5), (2.0, 11), (1.3, 3)])
def test_blur_is_that_of_scipy_within_the_picture(sigma, kernel):
    clip = noise(1, 2, 14, 9, 3)
    expected, weight = clip.astype("float64"), np.ones((1, 1, 14, 9, 1))
    for axis in (2, 3):
        options = {"axis": axis, "mode": "constant", "radius": kernel // 2}
        expected = gaussian_filter1d(expected, sigma, **options)
        weight = gaussian_filter1d(weight, sigma, **options)
    # What lies outside the picture has no weight.
    found = to_numpy(augment.blur(tensor(clip), tensor([[[sigma]]]), kernel))
    np.testing.assert_allclose(found, expected / weight, atol=1e-5)


def test_blur_keeps_an_even_picture_and_each_clip_has_its_strength():
    clips = uniform_clips([0.2, 0.5, 0.9], 2).repeat(4, axis=2)
    sigma = tensor([[[0.1]], [[2.0]]])
    np.testing.assert_allclose(
        to_numpy(augment.blur(tensor(clips), sigma)), clips, atol=1e-6
    )
    rough = noise(2, 1, 8, 8, 1)
    found = to_numpy(augment.blur(tensor(rough), sigma))
    np.testing.assert_allclose(found[0], rough[0], atol=1e-6)
    assert found[1].std() < 0.5 * rough[1].std()


def test_blur_does_not_mix_frames_or_channels():
    clip = np.zeros((1, 3, 7, 7, 3), "float32")
    clip[0, 1, 3, 3, 1] = 1.0
    found = to_numpy(augment.blur(tensor(clip), tensor([[[1.0]]]), 3))[0]
    assert found[1, ..., 1].sum() == pytest.approx(1.0, abs=1e-6)
    assert found.sum() == pytest.approx(1.0, abs=1e-6)


def test_blur_draws_a_strength_for_each_clip_within_its_range():
    clips = np.zeros((400, 1, 7, 7, 1), "float32")
    clips[:, :, 3, 3] = 1.0
    found = to_numpy(augment.gaussian_blur(tensor(clips), seed(), 3, probability=1.0))
    # Of a Gaussian, a neighbour has exp(-1 / 2 sigma^2) times the middle's weight.
    ratio = found[:, 0, 3, 4, 0] / found[:, 0, 3, 3, 0]
    sigma = np.sqrt(-0.5 / np.log(ratio))
    # The published range is the default.
    assert 0.1 - 1e-3 < sigma.min() < 0.15 and 1.95 < sigma.max() < 2.0 + 1e-3
    assert sigma.mean() == pytest.approx(1.05, abs=0.1)
    some = to_numpy(augment.gaussian_blur(tensor(clips), seed(), 3, (0.5, 2.0), 0.3))
    blurred = some[:, 0, 3, 3, 0] < 1
    assert 0.22 < blurred.mean() < 0.38


# --- crops ----------------------------------------------------------------------

PUBLISHED = [((0.2, 1.0), (3 / 4, 4 / 3)), ((0.3, 1.0), (0.5, 2.0))]


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 0.4), st.floats(0.0, 0.6), st.floats(1.0, 2.0))
def test_crops_have_the_area_and_ratio_asked_inside_the_picture(least, more, ratio):
    scale, ratios = (least, least + more), (1 / ratio, ratio)
    y1, x1, y2, x2 = to_numpy(augment.draw_crops(64, seed(), scale, ratios)).T
    height, width = y2 - y1, x2 - x1
    for low, high in ((y1, y2), (x1, x2)):
        assert (low >= -1e-6).all() and (high <= 1 + 1e-6).all()
    assert (height * width > scale[0] - 1e-5).all()
    assert (height * width < scale[1] + 1e-5).all()
    assert (width / height > ratios[0] - 1e-4).all()
    assert (width / height < ratios[1] + 1e-4).all()


@pytest.mark.parametrize(("scale", "ratio"), PUBLISHED)
def test_crops_fill_their_ranges(scale, ratio):
    boxes = to_numpy(augment.draw_crops(2000, seed(), scale, ratio))
    y1, x1, y2, x2 = boxes.T
    area, aspect = (y2 - y1) * (x2 - x1), (x2 - x1) / (y2 - y1)
    assert area.min() < scale[0] + 0.02 and area.max() > 0.95
    assert aspect.min() < 1.05 * ratio[0] and aspect.max() > ratio[1] / 1.05
    # As often tall as wide, and anywhere.
    assert 0.46 < (aspect < 1).mean() < 0.54
    rooms = np.stack([1 - y2 + y1, 1 - x2 + x1])
    free = (rooms > 0.1).all(axis=0)
    y, x = np.stack([y1, x1])[:, free] / rooms[:, free]
    for place in (y, x):
        assert place.mean() == pytest.approx(0.5, abs=0.03)
        assert place.min() < 0.02 and place.max() > 0.98
    assert abs(np.corrcoef(y, x)[0, 1]) < 0.1


def test_a_crop_of_whole_pixels_is_a_slice_and_a_flip_turns_it_round():
    clip = noise(2, 3, 8, 8, 3)
    boxes = tensor([[0.25, 0.5, 0.75, 1.0]] * 2)
    flips = ops.convert_to_tensor(np.array([False, True]))
    found = to_numpy(augment.crop_and_resize(tensor(clip), boxes, flips, 4))
    expected = clip[:, :, 2:6, 4:8]
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(found[1], expected[1, :, :, ::-1], atol=1e-6)


# --- normalisation --------------------------------------------------------------


def test_normalising_is_with_the_numbers_of_imagenet():
    clip = noise(1, 2, 3, 3, 3)
    expected = (clip - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(
        to_numpy(augment.normalise(tensor(clip))), expected, atol=1e-6
    )
    half = to_numpy(augment.normalise(tensor(clip), (0.5,) * 3, (0.5,) * 3))
    np.testing.assert_allclose(half, 2 * clip - 1, atol=1e-6)
