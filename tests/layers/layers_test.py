import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import (
    ActivationDecoupler,
    ActivationMap,
    FeatureQueue,
    FoldedBatchNormalization,
    FoldedConv3D,
    NeighbourMiner,
    ProjectionHead,
    ProjectionHeads,
    StaticDynamicDecoupler,
)
from keras_avrep.layers.folded_conv3d import take_every


def to_numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("kernel", [(1, 3, 3), (3, 1, 1), (1, 7, 7), (1, 1, 1)])
@pytest.mark.parametrize("strides", [(1, 1, 1), (2, 2, 2), (1, 2, 2)])
def test_folded_convolution_equals_the_3d_one(kernel, strides):
    x = np.random.default_rng(0).normal(size=(2, 4, 8, 8, 3)).astype("float32")
    folded = FoldedConv3D(5, kernel, strides)
    plain = FoldedConv3D(5, kernel, strides, fold=False)
    y = folded(x)
    plain.build(x.shape)
    plain.set_weights(folded.get_weights())
    np.testing.assert_allclose(to_numpy(y), to_numpy(plain(x)), atol=1e-5)
    assert folded.compute_output_shape(x.shape) == tuple(y.shape)


@pytest.mark.parametrize("kernel", [(3, 3, 3), (5, 7, 7), (3, 1, 3)])
@pytest.mark.parametrize("strides", [(1, 1, 1), (2, 2, 2), (1, 2, 2), (4, 1, 1)])
@pytest.mark.parametrize("padding", ["symmetric", "same"])
@pytest.mark.parametrize("time", [1, 2, 5, 8])
def test_full_kernels_over_stacked_frames_are_the_3d_ones(
    kernel, strides, padding, time
):
    x = np.random.default_rng(0).normal(size=(2, time, 7, 8, 3)).astype("float32")
    folded = FoldedConv3D(4, kernel, strides, padding=padding)
    plain = FoldedConv3D(4, kernel, strides, padding=padding, fold=False)
    y, trained = (to_numpy(folded(x, training=t)) for t in (False, True))
    plain.build(x.shape)
    plain.set_weights(folded.get_weights())
    np.testing.assert_allclose(y, to_numpy(plain(x)), atol=1e-4)
    np.testing.assert_allclose(trained, y, atol=1e-4)
    assert folded.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize("kernel", [(3, 1, 1), (5, 1, 1), (3, 3, 3), (5, 3, 3)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["symmetric", "same"])
@pytest.mark.parametrize("time", [1, 5, 8])
def test_edge_padding_is_that_of_a_clip_with_more_of_its_ends(
    kernel, stride, padding, time
):
    x = np.random.default_rng(0).normal(size=(2, time, 5, 6, 3)).astype("float32")
    options = {"strides": (stride, 1, 1), "padding": padding}
    edge = FoldedConv3D(4, kernel, time_padding="edge", **options)
    plain = FoldedConv3D(4, kernel, fold=False, **options)
    y = to_numpy(edge(x))
    assert y.shape == edge.compute_output_shape(x.shape)
    # Eight frames more on either side: the steps between do not see the zeros.
    longer = np.pad(x, [(0, 0), (8, 8), (0, 0), (0, 0), (0, 0)], mode="edge")
    plain.build(x.shape)
    plain.set_weights(edge.get_weights())
    whole = to_numpy(plain(longer))
    first = 8 // stride
    np.testing.assert_allclose(y, whole[:, first : first + y.shape[1]], atol=1e-5)


@pytest.mark.parametrize("kernel", [(3, 1, 1), (1, 3, 3), (3, 3, 3)])
@pytest.mark.parametrize("time_padding", ["zeros", "edge"])
def test_dilation_is_of_places_whatever_the_form(kernel, time_padding):
    x = np.random.default_rng(0).normal(size=(2, 6, 7, 8, 3)).astype("float32")
    folded = FoldedConv3D(4, kernel, dilation=2, time_padding=time_padding)
    y = to_numpy(folded(x))
    plain = FoldedConv3D(4, kernel, dilation=2, fold=False)
    plain.build(x.shape)
    plain.set_weights(folded.get_weights())
    inside = slice(1, -1)  # steps that do not see the padding
    np.testing.assert_allclose(y[:, inside], to_numpy(plain(x))[:, inside], atol=1e-5)


def test_edge_padding_needs_folding_and_a_known_name():
    with pytest.raises(ValueError, match="fold=True"):
        FoldedConv3D(4, (3, 1, 1), time_padding="edge", fold=False)
    with pytest.raises(ValueError, match="'zeros' or 'edge'"):
        FoldedConv3D(4, (3, 1, 1), time_padding="wrap")


def test_a_full_kernel_takes_clips_of_any_length():
    video = keras.Input((None, None, None, 3))
    layer = FoldedConv3D(4, (3, 3, 3), (2, 1, 1), padding="same")
    model = keras.Model(video, layer(video))
    for shape in [(1, 5, 6, 7, 3), (2, 8, 4, 4, 3)]:
        x = np.random.default_rng(0).normal(size=shape).astype("float32")
        np.testing.assert_allclose(
            model.predict(x, verbose=0), to_numpy(layer(x)), atol=1e-5
        )


@pytest.mark.parametrize("shape", [(2, 4, 6, 8, 3), (2, 5, 7, 6, 3)])
@pytest.mark.parametrize("strides", [(1, 1, 1), (2,), (1, 2, 2), (2, 2, 2)])
def test_taking_every_step_is_strided_slicing(shape, strides):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = x[(slice(None), *(slice(None, None, s) for s in strides))]
    np.testing.assert_array_equal(to_numpy(take_every(x, strides)), expected)


@pytest.mark.parametrize("shape", [(4, 2, 3, 5, 6), (4, 6), (4, 2, 3, 64)])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_folded_batch_normalization_equals_the_plain_one(shape, options):
    rng = np.random.default_rng(0)
    folded = FoldedBatchNormalization(momentum=0.9, **options)
    plain = keras.layers.BatchNormalization(momentum=0.9, **options)
    folded.build(shape)
    plain.build(shape)
    weights = [rng.uniform(0.5, 2, w.shape) for w in plain.get_weights()]
    for layer in (folded, plain):
        layer.set_weights(weights)
    x = rng.normal(2, 3, shape).astype("float32")
    for training in (True, False):
        np.testing.assert_allclose(
            to_numpy(folded(x, training=training)),
            to_numpy(plain(x, training=training)),
            atol=1e-4,
        )
    for a, b in zip(folded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_folded_batch_normalization_keeps_its_statistics_in_float32():
    layer = FoldedBatchNormalization(dtype="mixed_bfloat16")
    x = np.random.default_rng(0).normal(5, 0.5, (64, 2, 4, 4, 3)).astype("float32")
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    y = to_numpy(ops.cast(y, "float32"))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2, 3)), 0, atol=0.01)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2, 3)), 1, atol=0.05)
    layer.trainable = False
    before = layer.get_weights()
    layer(x, training=True)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size"):
        FoldedConv3D(5, (1, 2, 2))


def test_decoupler_differences_and_frozen_frame():
    clip = np.arange(4, dtype="float32").reshape(1, 4, 1, 1, 1) ** 2
    first = {"roll": -9.0, "zero": 0.0, "repeat": 1.0}
    for wrap, expected in first.items():
        out = StaticDynamicDecoupler(wrap)(clip)
        np.testing.assert_allclose(
            to_numpy(out["dynamic"]).ravel(), [expected, 1.0, 3.0, 5.0]
        )
        np.testing.assert_allclose(to_numpy(out["static"]).ravel(), [4.0] * 4)
        np.testing.assert_allclose(to_numpy(out["rgb"]), clip)


def test_activation_map_has_mean_one_and_survives_dead_units():
    x = np.random.default_rng(0).uniform(size=(2, 2, 3, 3, 4)).astype("float32")
    mean = to_numpy(ActivationMap()(x)).mean(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(mean, 1.0, atol=1e-4)
    assert np.all(to_numpy(ActivationMap()(x * 0)) == 0)


def test_activation_decoupler_pools_with_the_map():
    x = np.zeros((1, 1, 1, 2, 1), "float32")
    x[0, 0, 0, :, 0] = [1.0, 3.0]
    weights = np.array([2.0, 0.0], "float32").reshape(1, 1, 1, 2, 1)
    assert to_numpy(ActivationDecoupler()(x)).item() == 2.0
    assert to_numpy(ActivationDecoupler()(x, weights)).item() == 1.0


def test_projection_heads_give_unit_norm():
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    # Wide enough that no row has every hidden unit off, which projects to zero.
    # Built by its shape, or by what it is called with.
    heads = ProjectionHeads(["a", "b"], 64, 4)
    heads.build((None, 6))
    unbuilt = ProjectionHeads(["a", "b"], 64, 4)
    assert to_numpy(unbuilt({"b": x})["b"]).shape == (3, 4)
    unbuilt.set_weights(heads.get_weights())
    for name, z in unbuilt({"a": x, "b": x}).items():
        np.testing.assert_array_equal(to_numpy(z), to_numpy(heads({name: x})[name]))
    for z in [*heads({"a": x, "b": x}).values(), ProjectionHead(64, 4)(x)]:
        np.testing.assert_allclose(np.linalg.norm(to_numpy(z), axis=-1), 1, atol=1e-5)


def test_queue_wraps_and_counts():
    queue = FeatureQueue(["a"], size=5, dim=2)
    for value in (1.0, 2.0, 3.0):
        queue.enqueue({"a": ops.full((2, 2), value)})
        if value == 2.0:
            assert to_numpy(queue.valid()).sum() == 4
    np.testing.assert_allclose(to_numpy(queue.keys("a"))[:, 0], [3, 1, 2, 2, 3])
    assert to_numpy(queue.valid()).all()
    with pytest.raises(ValueError, match="queue"):
        queue.enqueue({"a": ops.ones((6, 2))})


def test_miner_never_marks_an_invalid_slot():
    similarity = np.array([[0.9, 0.1, 0.5, 0.4]], "float32")
    valid = np.array([False, True, True, False])
    marked = to_numpy(NeighbourMiner(3)(similarity, valid))
    np.testing.assert_array_equal(marked, [[False, True, True, False]])


def test_layers_survive_their_config():
    layers = [
        FoldedBatchNormalization(momentum=0.8),
        FoldedConv3D(5, (1, 3, 3), time_padding="edge"),
        StaticDynamicDecoupler("zero", "random", seed=1),
        ActivationMap(),
        ActivationDecoupler(),
        ProjectionHead(5, 4),
        ProjectionHeads(["a"], 5, 4),
        FeatureQueue(["a"], 5, 2, seed=3),
        NeighbourMiner(3),
    ]
    for layer in layers:
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()
