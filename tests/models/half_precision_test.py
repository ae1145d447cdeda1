"""Layers and steps under mixed precision: finite, and near their float32 values."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import ConcatHeadDecoder, ROIAlign2D
from keras_avrep.models.const_cl import RegionTransformHead
from keras_avrep.models.const_cl.region_transform_head import RegionFeatures

POLICIES = ("mixed_bfloat16", "mixed_float16")
SYSTEMS = ("const_cl", "controllable_augmentations", "teg")


def to_numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def dtype_of(x):
    return keras.backend.standardize_dtype(x.dtype)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def boxes(count, videos=2):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 0.5, (videos, count, 2))
    length = rng.uniform(0.1, 0.5, corner.shape)
    return np.concatenate([corner, corner + length], axis=-1).astype("float32")


# --- layers ---------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("layer", [ROIAlign2D, RegionFeatures])
def test_regions_are_read_in_float32(layer, policy):
    shape = (2, 7, 7, 32) if layer is ROIAlign2D else (2, 3, 7, 7, 32)
    maps = draw(*shape)
    exact = to_numpy(layer(4)(maps, boxes(5)))
    keras.config.set_dtype_policy(policy)
    half = ops.cast(maps, policy.removeprefix("mixed_"))
    found = layer(4)(half, boxes(5))
    assert dtype_of(found) == "float32"
    # Just the rounding of the map: places in half precision would be off by more.
    rounded = to_numpy(layer(4)(to_numpy(half), boxes(5)))
    np.testing.assert_allclose(to_numpy(found), rounded, atol=1e-6)
    np.testing.assert_allclose(to_numpy(found), exact, atol=0.02)


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_features_of_regions_are_finite_for_small_and_large_maps(scale):
    maps, few = draw(2, 3, 7, 7, 32), boxes(5)
    expected = to_numpy(RegionFeatures()(maps, few))
    keras.config.set_dtype_policy("mixed_float16")
    found = to_numpy(RegionFeatures()(ops.cast(scale * maps, "float16"), few))
    np.testing.assert_allclose(found, expected, atol=5e-3)


def decoders(policy, **kwargs):
    """The same decoder in float32 and in a policy."""
    layers = [ConcatHeadDecoder(dtype=d, **kwargs) for d in ("float32", policy)]
    for layer in layers:
        layer.build((2, 4, 32), (2, 20, 40))
    layers[1].set_weights(layers[0].get_weights())
    return layers


@pytest.mark.parametrize("policy", POLICIES)
def test_the_decoder_is_near_its_float32_values(policy):
    exact, mixed = decoders(policy, num_layers=2, num_heads=2, head_dim=16)
    arrays = draw(2, 4, 32), draw(2, 20, 40, seed=1)
    found = mixed(*arrays)
    assert dtype_of(found) == policy.removeprefix("mixed_")
    expected = to_numpy(exact(*arrays))
    difference = np.abs(to_numpy(found) - expected).max()
    assert 0 < difference < 0.03 * np.abs(expected).max()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_layer_norms_of_the_decoder_survive_rows_that_are_all_alike(policy):
    # With no variance only an epsilon of 1e-12, 0 in float16, is left to divide by.
    _, mixed = decoders(policy, num_layers=2, num_heads=2, head_dim=16)
    norms = {(head.norm.epsilon, head.norm.compute_dtype) for head in mixed.blocks}
    assert norms == {(1e-12, "float32")}
    queries, memory = ops.zeros((2, 4, 32)), ops.zeros((2, 20, 40))
    assert (to_numpy(mixed(queries, memory)) == 0).all()
    for scale in (1e-3, 10.0):
        arrays = scale * draw(2, 4, 32), scale * draw(2, 20, 40, seed=1)
        assert np.isfinite(to_numpy(mixed(*arrays))).all()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_region_head_gives_float32_regions_near_those_of_float32(policy):
    sizes = {"context_length": 3, "num_layers": 2, "num_heads": 2, "head_dim": 8}
    heads = [RegionTransformHead(dtype=d, **sizes) for d in ("float32", policy)]
    arrays = draw(4, 3, 6, 6, 16), boxes(3, videos=4)
    for head in heads:
        head(*arrays)
    heads[1].set_weights(heads[0].get_weights())
    exact, mixed = (head(*arrays) for head in heads)
    for name, expected in exact.items():
        assert dtype_of(mixed[name]) == "float32"
        cosines = cosines_of(to_numpy(expected), to_numpy(mixed[name]))
        assert cosines.min() > 0.999, name


def cosines_of(first, second):
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return (first * second).sum(axis=-1) / lengths


# --- steps ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_step_in_bfloat16_has_float32_losses_near_those_of_float32(name):
    tiny = importlib.import_module(f"tiny_{name}")
    views = tiny.draw_views(np.random.default_rng(0))
    views = {key: ops.convert_to_tensor(x) for key, x in views.items()}
    found = {}
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        model = tiny.build_for_steps()
        outputs = model.query_forward(views, model.key_forward(views))
        found[policy] = model.compute_losses(outputs)
    exact, mixed = found.values()
    assert {dtype_of(x) for x in mixed.values()} == {"float32"}
    for term, expected in exact.items():
        near = pytest.approx(float(to_numpy(expected)), rel=0.1)
        assert float(to_numpy(mixed[term])) == near, term
    # Tracing takes longer than a step.
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    model.optimizer.build(model.trainable_variables)
    logs = model.train_on_batch(
        tiny.draw_batch(np.random.default_rng(0)), return_dict=True
    )
    assert {"loss", *(f"loss_{term}" for term in model.loss_weights)} <= logs.keys()
    assert np.isfinite(list(logs.values())).all() and logs["loss"] != 0
    assert {dtype_of(v) for v in model.trainable_variables} == {"float32"}
