import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.layers import (
    CentredPosition,
    ConcatHeadDecoder,
    ContextSampler,
    FoldedConv3D,
    ROIAlign2D,
)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def count(layer):
    return sum(int(np.prod(v.shape)) for v in layer.trainable_variables)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ramp():
    y, x = np.mgrid[:7, :7]
    return (10.0 * y + x).astype("float32")[None, :, :, None]


def test_roi_align_has_the_golden_values_of_the_note():
    boxes = np.array([[[0.25, 0.25, 0.75, 0.75], [0.9, 0.9, 0.999, 0.999]]], "float32")
    crops = to_numpy(ROIAlign2D(4)(ramp(), boxes))[0, ..., 0]
    np.testing.assert_allclose(crops[0, 0], [24.0625, 24.9375, 25.8125, 26.6875])
    assert crops[0].mean() == pytest.approx(38.5)
    np.testing.assert_allclose(crops[1], 66.0)


def sampled_by_hand(image, box, size):
    """The rule of the note in plain Python: corners clipped, then mixed."""
    height, width = image.shape[:2]
    out = np.zeros((size, size, image.shape[2]))
    for i in range(size):
        for j in range(size):
            y = (box[0] + (i + 0.5) * (box[2] - box[0]) / size) * height
            x = (box[1] + (j + 0.5) * (box[3] - box[1]) / size) * width
            y, x = max(y, 0), max(x, 0)
            top, left = min(int(y), height - 1), min(int(x), width - 1)
            down, right = min(top + 1, height - 1), min(left + 1, width - 1)
            fy, fx = y - top, x - left
            out[i, j] = (1 - fy) * (
                (1 - fx) * image[top, left] + fx * image[top, right]
            ) + fy * ((1 - fx) * image[down, left] + fx * image[down, right])
    return out


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=8, max_size=8), st.integers(1, 3))
def test_roi_align_follows_its_rule_for_any_box(numbers, size):
    boxes = np.array(numbers, "float32").reshape(1, 2, 4)
    image = draw(1, 5, 7, 3)
    crops = to_numpy(ROIAlign2D(size)(image, boxes))
    for crop, box in zip(crops[0], boxes[0], strict=True):
        expected = sampled_by_hand(image[0], box.astype("float64"), size)
        np.testing.assert_allclose(crop, expected, atol=1e-4)


def test_position_codes_have_100_parameters_and_are_centred():
    layer = CentredPosition()
    x = draw(2, 5, 7, 7, 3)
    y = to_numpy(layer(x))
    assert count(layer) == 100
    assert y.shape == (2, 5, 7, 7, 19)
    np.testing.assert_array_equal(y[..., :3], x)
    codes = y[..., 3:]
    np.testing.assert_array_equal(codes[0], codes[1])
    # Time alone makes one half, place alone the other.
    assert np.ptp(codes[0, ..., :8], axis=(1, 2)).max() == 0
    assert np.ptp(codes[0, ..., 8:], axis=0).max() == 0
    # The middle has coordinates 0, where the biases, 0 at first, are all there is.
    np.testing.assert_allclose(codes[0, 2, 3, 3], 0.0, atol=1e-6)
    assert np.abs(codes[0, 0, 0, 0]).max() > 0


@pytest.mark.parametrize(
    ("steps", "length", "places"),
    [(8, 5, [2, 3, 4, 5, 6]), (4, 3, [1, 2, 3]), (9, 3, [1, 4, 7]), (8, 1, [4])],
)
def test_context_lies_around_the_middle(steps, length, places):
    x = np.arange(steps, dtype="float32")[None, :, None]
    taken = to_numpy(ContextSampler(length)(x))
    assert taken.ravel().tolist() == places


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10))
def test_context_never_leaves_the_map(steps, half):
    sampler = ContextSampler(2 * half + 1)
    if steps < sampler.length:
        with pytest.raises(ValueError, match="only"):
            sampler.places(steps)
        return
    places = sampler.places(steps)
    assert places[half] == steps // 2
    assert min(places) >= 0
    assert max(places) < steps


def test_even_context_is_refused():
    with pytest.raises(ValueError, match="odd"):
        ContextSampler(4)


def test_decoder_has_the_parameters_of_the_note():
    decoder = ConcatHeadDecoder()
    decoder.build((None, 8, 2048), (None, 245, 2064))
    assert count(decoder) == 6_139_776


def test_decoder_of_one_head_is_the_formula():
    decoder = ConcatHeadDecoder(1, 1, 4)
    queries, memory = draw(2, 3, 5), draw(2, 6, 7, seed=1)
    found = to_numpy(decoder(queries, memory))
    weights = {v.path.split("/", 2)[-1]: to_numpy(v) for v in decoder.variables}

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    q, k, v = dense("query", queries), dense("key", memory), dense("value", memory)
    scores = q @ k.transpose(0, 2, 1) / 2
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    y = shares @ v + q
    y = (y - y.mean(-1, keepdims=True)) / y.std(-1, keepdims=True)
    hidden = to_numpy(keras.activations.gelu(dense("hidden", y).astype("float32")))
    np.testing.assert_allclose(found, dense("output", hidden), atol=1e-4)


def test_the_decoder_takes_large_features_in_half_precision():
    rng = np.random.default_rng(0)
    queries, memory = (
        (300 * rng.normal(size=(1, n, 64))).astype("float32") for n in (3, 20)
    )
    exact = ConcatHeadDecoder(1, 2, 32)
    expected = ops.convert_to_numpy(exact(queries, memory))
    half = ConcatHeadDecoder(1, 2, 32, dtype="mixed_float16")
    half.build(queries.shape, memory.shape)
    half.set_weights(exact.get_weights())
    found = ops.convert_to_numpy(ops.cast(half(queries, memory), "float32"))
    assert np.isfinite(found).all()
    # One token has nearly all the attention: where it is the same, so is the rest.
    assert np.median(np.abs(found - expected)) < 0.02


def test_decoder_queries_do_not_see_each_other_and_memory_has_no_order():
    decoder = ConcatHeadDecoder(2, 2, 4)
    queries, memory = draw(1, 3, 5), draw(1, 6, 7, seed=1)
    found = to_numpy(decoder(queries, memory))
    assert found.shape == (1, 3, 8)
    alone = to_numpy(decoder(queries[:, 1:2], memory[:, ::-1]))
    np.testing.assert_allclose(found[:, 1:2], alone, atol=1e-5)


def test_a_dilated_convolution_has_holes_in_its_kernel():
    x = draw(2, 3, 8, 8, 4)
    dilated = FoldedConv3D(5, (1, 3, 3), dilation=2)
    found = dilated(x)
    wide = FoldedConv3D(5, (1, 5, 5))
    wide.build(x.shape)
    kernel = np.zeros((1, 5, 5, 4, 5), "float32")
    kernel[:, ::2, ::2] = to_numpy(dilated.kernel)
    wide.set_weights([kernel])
    np.testing.assert_allclose(to_numpy(found), to_numpy(wide(x)), atol=1e-5)
    assert FoldedConv3D.from_config(dilated.get_config()).dilation == 2
    with pytest.raises(ValueError, match="dilation"):
        FoldedConv3D(5, (1, 3, 3), (1, 2, 2), dilation=2)


@pytest.mark.parametrize(
    "layer",
    [ROIAlign2D(3), CentredPosition(5, 6), ContextSampler(3), ConcatHeadDecoder(1, 2)],
)
def test_layers_survive_their_configuration(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
