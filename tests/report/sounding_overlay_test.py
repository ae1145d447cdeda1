import itertools

import numpy as np
import pytest

from keras_avrep.report.sounding_overlay import (
    PALETTE,
    class_colours,
    draw_sounding,
    text_size,
)


def box(cluster=0, name="cello", corners=(0.25, 0.5, 0.75, 1.0), score=0.8):
    return {"cluster": cluster, "name": name, "box": list(corners), "score": score}


def region(corners):
    mask = np.zeros((16, 16), bool)
    y1, x1, y2, x2 = (round(16 * c) for c in corners)
    mask[y1:y2, x1:x2] = True
    return mask


@pytest.mark.parametrize("shape", [(9, 9), (96, 96), (240, 427), (1080, 608)])
def test_any_size_is_drawn_upon_where_it_sounds(shape):
    frame = np.full((*shape, 3), 128, np.uint8)
    one = box()
    drawn = draw_sounding(frame, [one], [region(one["box"])], legend=False)
    assert drawn.shape == frame.shape and drawn.dtype == np.uint8
    assert (frame == 128).all()
    middle = drawn[shape[0] // 2, round(0.8 * shape[1])].astype(int)
    if min(shape) > 50:
        # Orange: red up, blue down; the rest of the picture as it was.
        assert middle[0] > 150 > 100 > middle[2]
        assert (drawn[-shape[0] // 6 :, : shape[1] // 3] == 128).all()


def test_without_boxes_the_frame_is_as_it_was():
    frame = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    assert draw_sounding(frame, []) is frame


def test_a_name_has_one_colour_whatever_its_cluster():
    names = ["cello", "flute", "cello"]
    assert class_colours(names) == {"cello": PALETTE[0], "flute": PALETTE[1]}
    frame = np.zeros((100, 100, 3), np.uint8)
    drawn = [
        draw_sounding(frame, [box(k)], [region(box()["box"])], names) for k in (0, 2)
    ]
    np.testing.assert_array_equal(*drawn)
    # After the last colour the first comes again, with a dashed box.
    names = list("abcdefghijkl")
    first, later = (
        draw_sounding(frame, [box(k, names[k])], names=names, legend=False)
        for k in (0, 11)
    )
    right = [picture[40:74, 99].astype(int).sum(axis=-1) for picture in (first, later)]
    assert right[0].min() > 0
    assert len(set(right[1].tolist())) > len(set(right[0].tolist()))


def test_the_legend_names_what_sounds_once():
    frame = np.full((200, 300, 3), 90, np.uint8)
    two = [box(), box(corners=(0.1, 0.1, 0.3, 0.3)), box(1, "flute")]
    without = draw_sounding(frame, two, legend=False)
    drawn = draw_sounding(frame, two)
    added = np.flatnonzero((without != drawn).any(axis=(1, 2)))
    assert added.min() > 170
    colours = {tuple(c) for c in drawn[-10].tolist()}
    assert PALETTE[0] in colours and PALETTE[1] in colours


def test_labels_do_not_cover_each_other():
    frame = np.full((200, 300, 3), 128, np.uint8)
    whole = [box(k, name, (0, 0, 1, 1)) for k, name in enumerate(["cello", "flute"])]
    one, two = (draw_sounding(frame, whole[:n], legend=False) for n in (1, 2))
    # The second stands below the first, which is as it was.
    np.testing.assert_array_equal(one[6:14, 8:80], two[6:14, 8:80])
    assert (one[20:34, 8:80] != two[20:34, 8:80]).any()
    many = [box(0, "cello", (0, 0, 1, 1))] * 50
    assert draw_sounding(frame, many).shape == frame.shape


def test_names_that_are_long_odd_or_missing(tmp_path):
    frame = np.zeros((64, 64, 3), np.uint8)
    for name in ("x" * 300, "Флейта", "", None, "a\nb"):
        assert draw_sounding(frame, [box(name=name)]).any()


def test_text_is_large_enough_to_read():
    assert text_size((96, 96)) == 10
    assert text_size((1080, 1920)) == 44
    assert 20 <= text_size((480, 640)) <= 24


def test_colours_are_apart_also_in_lightness_or_blue():
    for one, other in itertools.combinations(np.array(PALETTE, float), 2):
        # Seen without telling red from green: lightness and blue are left.
        kept = np.array([[0.3, 0.6, 0.1], [0, 0, 1]])
        assert np.abs(kept @ (one - other)).max() > 20


def test_what_is_no_picture_is_told():
    with pytest.raises(ValueError, match="`frame`"):
        draw_sounding(np.zeros((4, 4)), [])
    with pytest.raises(ValueError, match="`regions`"):
        draw_sounding(np.zeros((4, 4, 3), np.uint8), [box()], [])
