import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_avrep.evaluation.average_precision import (
    enveloped_average_precision,
    falling,
    mean_of_known,
    plain_average_precision,
)


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 3))
def test_the_enveloped_area_is_that_of_the_drawn_curve(hits, missed):
    positives = sum(hits) + missed
    if positives == 0:
        assert np.isnan(enveloped_average_precision(hits, 0))
        return
    # The curve drawn point by point: at every recall the best precision from there on.
    points = [(0.0, 0.0)]
    for rank in range(1, len(hits) + 1):
        right = sum(hits[:rank])
        points.append((right / positives, right / rank))
    recalls = sorted({recall for recall, _ in points})
    area = sum(
        (after - before) * max(p for r, p in points if r >= after)
        for before, after in itertools.pairwise(recalls)
    )
    assert enveloped_average_precision(hits, positives) == pytest.approx(area)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_the_envelope_never_lowers_the_plain_one(hits):
    if any(hits):
        plain = plain_average_precision(hits)
        assert plain <= enveloped_average_precision(hits, sum(hits)) + 1e-12


def test_ties_keep_their_order_and_unknown_values_are_left_out():
    assert falling([0.5, 0.9, 0.5, 0.9]).tolist() == [1, 3, 0, 2]
    assert mean_of_known([1.0, np.nan, 0.0]) == 0.5
    assert np.isnan(mean_of_known([np.nan]))
    assert np.isnan(mean_of_known([]))
