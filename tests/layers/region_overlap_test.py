import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.layers import RegionOverlap, RegionPool, time_overlap
from keras_avrep.losses import soft_region_contrast


def to_numpy(x):
    return ops.convert_to_numpy(x)


def record(start=0.0, stride=1, frames=16, y=0, x=0, height=1, width=1, flip=0):
    return [start, stride, frames, y, x, height, width, flip]


def records(*rows):
    return np.array([rows], "float32")


WHOLE = record(stride=4)


@pytest.mark.parametrize(
    ("start", "expected"), [(24, [[1, 0], [0, 1]]), (28, [[0.5, 0.5], [0, 1]])]
)
def test_overlap_in_time_has_the_values_of_the_note(start, expected):
    local, whole = records(record(start)), records(WHOLE)
    weights, share = RegionOverlap((2, 1, 1))(local, whole)
    np.testing.assert_allclose(to_numpy(weights)[0, 0], expected, atol=1e-6)
    np.testing.assert_allclose(to_numpy(share)[0, 0], [1, 1], atol=1e-6)
    weights, share = time_overlap(local, whole, 2)
    np.testing.assert_allclose(to_numpy(weights)[0, 0], expected, atol=1e-6)


def test_a_flip_mirrors_the_cells_and_not_the_crop():
    left = record(x=0.0, width=0.5)
    plain, _ = RegionOverlap((1, 1, 2))(records(left), records(record()))
    np.testing.assert_allclose(to_numpy(plain)[0, 0], [[1, 0], [1, 0]])
    other, _ = RegionOverlap((1, 1, 2))(records(left), records(record(flip=1)))
    np.testing.assert_allclose(to_numpy(other)[0, 0], [[0, 1], [0, 1]])
    quarter = record(x=0.25, width=0.5, flip=1)
    turned, _ = RegionOverlap((1, 1, 2))(records(quarter), records(record()))
    np.testing.assert_allclose(to_numpy(turned)[0, 0], [[0, 1], [1, 0]])


def test_what_the_other_view_does_not_show_has_no_share():
    outside = record(start=100)
    half = record(x=0.5, width=1.0)
    for kind in ("overlap", "iou", "hard"):
        weights, share = RegionOverlap((2, 1, 1), kind)(
            records(outside, half), records(WHOLE, WHOLE)
        )
        np.testing.assert_allclose(to_numpy(share)[0], [[0, 0], [0.5, 0.5]])
        assert (to_numpy(weights)[0, 0] == 0).all()


def test_targets_by_hand():
    local, whole = records(record(28)), records(WHOLE)

    def weights(target, **options):
        layer = RegionOverlap((2, 1, 1), target, **options)
        return to_numpy(layer(local, whole)[0])[0, 0]

    # Cells [28, 36) and [36, 44) against [0, 32) and [32, 64).
    np.testing.assert_allclose(weights("hard"), [[1, 0], [0, 1]])
    np.testing.assert_allclose(weights("iou"), [[4 / 36, 4 / 36], [0, 8 / 32]])
    distance = np.array([[16.0, 16.0], [24.0, 8.0]]) / 32
    np.testing.assert_allclose(
        weights("gaussian", sigma=0.5), np.exp(-0.5 * (distance / 0.5) ** 2), rtol=1e-5
    )


@st.composite
def geometry(draw):
    corner = [draw(st.floats(0, 0.5)) for _ in range(2)]
    size = [draw(st.floats(0.1, 0.5)) for _ in range(2)]
    time = [draw(st.integers(0, 20)), draw(st.integers(1, 4)), 8]
    return [*time, *corner, *size, draw(st.integers(0, 1))]


@settings(max_examples=40, deadline=None)
@given(geometry(), geometry())
def test_overlap_equals_a_count_of_points(first, second):
    grid = (2, 3, 2)
    weights, share = RegionOverlap(grid)(records(first), records(second))
    expected = points_in_common(first, second, grid)
    np.testing.assert_allclose(to_numpy(weights)[0, 0], expected, atol=0.08)
    np.testing.assert_allclose(to_numpy(share)[0, 0], expected.sum(1), atol=0.12)
    assert (to_numpy(share) <= 1).all()


def points_in_common(first, second, grid, fine=40):
    """Weights by following points from one view to the other, axis by axis."""
    axes = []
    for axis, cells in enumerate(grid):
        matrix = np.zeros((cells, cells))
        for place in (np.arange(cells * fine) + 0.5) / (cells * fine):
            there = to_view(to_world(place, first, axis), second, axis)
            if 0 <= there < 1:
                matrix[int(place * cells), int(there * cells)] += 1 / fine
        axes.append(matrix)
    time, rows, columns = axes
    product = np.einsum("ad,be,cf->abcdef", time, rows, columns)
    return product.reshape(np.prod(grid), -1)


def extent(view, axis):
    start, stride, frames, y, x, height, width, _ = view
    return [(start, stride * frames), (y, height), (x, width)][axis]


def to_world(place, view, axis):
    start, length = extent(view, axis)
    return start + length * (1 - place if axis == 2 and view[-1] else place)


def to_view(place, view, axis):
    start, length = extent(view, axis)
    there = (place - start) / length
    return 1 - there if axis == 2 and view[-1] else there


def test_oracle_features_reach_the_entropy_floor():
    """A1: features that know raw coordinates leave nothing but the entropy."""
    grid, rng = (2, 3, 3), np.random.default_rng(0)
    whole = record(stride=6, frames=8, y=0.1, x=0.05, height=0.8, width=0.9, flip=1)
    local = [
        record(start, 2, 8, *rng.uniform(0, 0.4, 2), 0.6, 0.5, flip)
        for start, flip in ((0, 0), (17, 1), (31, 0))
    ]
    weights, share = RegionOverlap(grid)(records(*local), records(*[whole] * 3))
    regions = weights.shape[-1]
    target = np.concatenate([points_in_common(v, whole, grid, 120) for v in local])
    weights = ops.reshape(weights, (1, -1, regions))
    share = ops.reshape(share, (1, -1))
    target /= np.maximum(target.sum(-1, keepdims=True), 1e-9)
    oracle = np.log(np.maximum(target, 1e-6))[None]
    places = np.eye(regions)[None]
    loss = soft_region_contrast(oracle, places, weights, share, temperature=1.0)
    exact = to_numpy(weights) / np.maximum(to_numpy(weights).sum(-1), 1e-9)[..., None]
    floor = -(exact * np.log(np.maximum(exact, 1e-12))).sum(-1)
    floor = (floor * to_numpy(share)).sum() / to_numpy(share).sum()
    assert 0.3 < floor < float(to_numpy(loss)) < floor + 0.01


def test_pooling_is_the_mean_of_cells_in_the_order_of_the_map():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 4, 3)).astype("float32")
    pooled = to_numpy(RegionPool((2, 3, 2))(x)).reshape(2, 2, 3, 2, 3)
    np.testing.assert_allclose(
        pooled[:, 1, 2, 0], x[:, 2:4, 4:6, 0:2].mean((1, 2, 3)), atol=1e-6
    )
    symbolic = RegionPool((2, 3, 2))(keras.Input((None, None, None, 3)))
    assert symbolic.shape == (None, 12, 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="does not divide"):
        RegionPool((2, 4, 4))(np.zeros((1, 2, 7, 7, 3), "float32"))
    with pytest.raises(ValueError, match="target"):
        RegionOverlap((2, 4, 4), "nearest")


def test_layers_survive_their_config():
    for layer in (RegionPool((2, 3, 3)), RegionOverlap((1, 2, 2), "gaussian", 0.7)):
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()
