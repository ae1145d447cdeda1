import io
import re

import numpy as np
import pytest
import synthetic_run
from PIL import Image

from keras_avrep.report import charts, markup, pictures, tsne


def test_clips_stay_within_their_budget():
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 96, 96, 3), "uint8")
    for budget in (200_000, 60_000, 9_000):
        encoded = pictures.encode_clips(list(noise), budget)
        assert sum(len(p.animation) + len(p.still) for p in encoded) <= budget
    assert len(pictures.encode_clips(list(noise), 200_000)) == 6
    assert pictures.encode_clips([], 1000) == []


def test_an_animation_loops_over_its_frames():
    clip = synthetic_run.moving_clip(40, 0, 2, frames=6)
    moving = pictures.encode_clips([clip], 100_000)[0]
    with Image.open(io.BytesIO(moving.animation)) as image:
        assert (image.n_frames, image.info["loop"]) == (6, 0)
        assert image.size == (moving.width, moving.height) == (40, 40)


def test_maps_are_stretched_over_space_and_time():
    values = np.zeros((2, 4, 4), "float32")
    values[0, :2], values[1, 2:] = 2, 2
    large = pictures.stretch_map(values, (8, 32, 48))
    assert large.shape == (8, 32, 48)
    assert large[0, 4].mean() > 1.9 and large[0, 28].mean() < 0.1
    assert large[-1, 4].mean() < 0.1 and large[-1, 28].mean() > 1.9
    assert np.all(np.diff(large[:, 4, 24]) <= 1e-6)


def test_overlay_is_brighter_where_the_map_is_high():
    frames = np.full((2, 16, 16, 3), 100, "uint8")
    values = np.zeros((1, 2, 2))
    values[0, :, 1] = 2
    drawn = pictures.overlay(frames, values, top=2.0)
    assert drawn.dtype == np.uint8
    assert drawn[:, :, -1].mean() > 2 * drawn[:, :, 0].mean()


def test_plane_keeps_groups_together():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(4), 25)
    points = 4 * np.eye(4, 24)[group] + 0.3 * rng.normal(size=(100, 24))
    place = tsne.plane(points)
    assert np.isfinite(place).all()
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (group[distance.argmin(axis=1)] == group).all()
    np.testing.assert_array_equal(place, tsne.plane(points))


@pytest.mark.parametrize("points", [np.ones((30, 3)), np.eye(5, 1), np.eye(9)])
def test_plane_of_degenerate_points(points):
    place = tsne.plane(points)
    assert place.shape == (len(points), 2)
    assert np.isfinite(place).all()


def test_curves_break_where_nothing_was_measured():
    y = np.array([1.0, np.nan, 3.0, 2.0])
    drawn = charts.line_chart("loss", [charts.Line("m", 0, np.arange(4.0), y)])
    assert drawn.count("M") >= 4
    assert "nan" not in drawn
    flat = charts.Line("m", 0, np.array([1.0]), np.array([0.0]))
    assert "nan" not in charts.line_chart("loss", [flat])


def test_no_number_is_struck_through_by_the_line_of_guessing():
    groups = [("R@1", [0.12, None, 0.4], 0.15)]
    drawn = charts.bar_chart("label", groups, ["a", "b", "c"])
    line = float(re.search(r'class="chance" x1="([\d.]+)"', drawn)[1])
    found = re.findall(r'<text x="([\d.]+)"[^>]*>(12.0%|not measured|40.0%)<', drawn)
    places = {text: float(x) for x, text in found}
    assert places["12.0%"] == places["not measured"] == line + 6
    assert places["40.0%"] > line + 6


def test_markers_of_different_classes_differ():
    drawn = {charts.marker(5, 5, style) for style in range(32)}
    assert len(drawn) == 32


@pytest.mark.parametrize(
    "value, shown",
    [(0.4, "0.4 s"), (59, "59 s"), (600, "10 min"), (5321, "1 h 29 min"), (None, "–")],
)
def test_durations(value, shown):
    assert markup.duration(value) == shown


@pytest.mark.parametrize(
    "value, shown",
    [
        (1.9976, "2.00"),
        (2, "2"),
        (26.7208, "26.7"),
        (123.4, "123"),
        (0.022538, "0.0225"),
    ],
)
def test_numbers_keep_their_digits(value, shown):
    assert markup.plain(value) == shown


@pytest.mark.parametrize(
    "value, shown", [(512, "512 B"), (8_400_000, "8.4 MB"), (float("nan"), "–")]
)
def test_sizes(value, shown):
    assert markup.file_size(value) == shown


def test_a_spotlight_keeps_colours_and_darkens_the_rest():
    frames = np.full((2, 8, 8, 3), (200, 100, 40), np.uint8)
    values = np.zeros((1, 2, 2))
    values[0, :, 1] = 2.0
    lit = pictures.spotlight(frames, values, 1.0)
    np.testing.assert_array_equal(lit[:, :, -1], frames[:, :, -1])
    np.testing.assert_array_equal(lit[:, :, 0], frames[:, :, 0] * 0.35)
