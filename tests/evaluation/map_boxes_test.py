import numpy as np
import pytest

from keras_avrep.evaluation import map_boxes
from keras_avrep.evaluation.map_boxes import sounding_regions

NAMES = ["cello", "flute", "tuba"]


def maps(placed, sounding, size=8):
    """Class maps that are 0.9 in boxes of cells `y1, x1, y2, x2`, else uniform."""
    class_map = np.full((size, size, 3), 1 / 3)
    for cluster, (y1, x1, y2, x2) in placed:
        class_map[y1:y2, x1:x2] = 0.05
        class_map[y1:y2, x1:x2, cluster] = 0.9
    sounding_map = np.zeros((size, size))
    for y1, x1, y2, x2 in sounding:
        sounding_map[y1:y2, x1:x2] = 0.95
    return class_map, sounding_map


def test_what_sounds_gets_a_box_and_what_is_silent_none():
    placed = [(0, (0, 0, 3, 4)), (1, (4, 5, 8, 8)), (2, (5, 0, 8, 3))]
    found = map_boxes(*maps(placed, [(0, 0, 3, 4), (4, 5, 8, 8)]), NAMES)
    assert {b["name"]: b["cluster"] for b in found} == {"cello": 0, "flute": 1}
    boxes = {b["name"]: b["box"] for b in found}
    np.testing.assert_allclose(boxes["cello"], [0, 0, 3 / 8, 4 / 8], atol=0.05)
    np.testing.assert_allclose(boxes["flute"], [4 / 8, 5 / 8, 1, 1], atol=0.05)
    assert all(b["score"] == pytest.approx(0.9) for b in found)


def test_a_silent_twin_is_left_alone():
    placed = [(1, (0, 0, 3, 3)), (1, (5, 5, 8, 8))]
    (found,) = sounding_regions(*maps(placed, [(5, 5, 8, 8)]))
    box, region = found
    assert box["name"] is None
    assert box["box"][0] > 0.5
    assert region[100, 100] and not region[10, 10]
    assert len(map_boxes(*maps(placed, [(0, 0, 8, 8)]))) == 2


def test_levels_are_absolute_and_the_threshold_relative():
    class_map, sounding_map = maps([(0, (2, 2, 6, 6))], [(0, 0, 8, 8)])
    assert map_boxes(class_map, sounding_map, level=0.95) == []
    assert map_boxes(class_map, sounding_map, sounding_level=0.96) == []
    (wide,) = map_boxes(class_map, sounding_map, threshold=0.3)
    assert wide["box"] == [0, 0, 1, 1]
    (tight,) = map_boxes(class_map, sounding_map, threshold=0.9)
    assert tight["box"][0] > 0.25


def test_clusters_of_one_name_are_added_up():
    class_map = np.full((8, 8, 3), 1 / 3)
    class_map[2:6, 2:6] = [0.45, 0.1, 0.45]
    assert map_boxes(class_map, np.ones((8, 8)), NAMES) == []
    (one,) = map_boxes(class_map, np.ones((8, 8)), ["cello", None, "cello"], 0.8)
    assert (one["cluster"], one["name"]) == (0, "cello")
    assert one["score"] == pytest.approx(0.9)


def test_slivers_are_no_objects():
    # A quarter of the picture, and an edge of another class beside it.
    found = maps([(0, (0, 0, 4, 4)), (1, (0, 4, 4, 5))], [(0, 0, 8, 8)])
    assert {b["cluster"] for b in map_boxes(*found)} == {0, 1}
    (large,) = map_boxes(*found, smallest=0.15)
    assert large["cluster"] == 0
    assert map_boxes(*found, smallest=0.5) == []


def test_uniform_maps_have_no_boxes():
    assert map_boxes(np.full((4, 4, 11), 1 / 11), np.ones((4, 4))) == []


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="`sounding_map`"):
        map_boxes(np.ones((4, 4, 2)), np.ones((4, 4, 1)))
    with pytest.raises(ValueError, match="`names` has 1"):
        map_boxes(np.ones((4, 4, 2)), np.ones((4, 4)), ["a"])
