import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation import box_iou, paired_box_iou

CORNERS = st.integers(-4, 4)
BOXES = st.lists(st.tuples(CORNERS, CORNERS, CORNERS, CORNERS), max_size=5)


def test_overlaps_by_hand():
    first = [[0, 0, 4, 4], [1, 1, 1, 5]]
    second = [[0, 0, 4, 4], [2, 2, 6, 6], [4, 0, 8, 4], [3, 3, 1, 1]]
    expected = [[1, 4 / 28, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(box_iou(first, second), expected)


def test_the_first_coordinate_is_vertical():
    # Two rows by one column in a row of three columns.
    assert box_iou([[0, 0, 2, 1]], [[0, 0, 1, 3]])[0, 0] == 1 / 4


def test_empty_sets_and_wrong_shapes():
    assert box_iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert box_iou([[0, 0, 1, 1]], np.zeros((0, 4))).shape == (1, 0)
    with pytest.raises(ValueError, match="`second` has the shape"):
        box_iou([[0, 0, 1, 1]], [[0, 0, 1]])
    with pytest.raises(ValueError, match="as many"):
        paired_box_iou([[0, 0, 1, 1]], [])


@given(BOXES, BOXES)
def test_overlap_is_a_symmetric_share_that_counts_cells(first, second):
    result = box_iou(first, second)
    assert ((result >= 0) & (result <= 1)).all()
    np.testing.assert_array_equal(result, box_iou(second, first).T)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            common, total = cells(a) & cells(b), cells(a) | cells(b)
            assert result[i, j] == (len(common) / len(total) if total else 0)
    np.testing.assert_array_equal(
        paired_box_iou(first, first), np.diag(box_iou(first, first))
    )


def cells(box):
    y1, x1, y2, x2 = box
    return {(y, x) for y in range(y1, y2) for x in range(x1, x2)}
