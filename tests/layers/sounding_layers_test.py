"""Layers of sound localisation: golden values by hand from CSOL's formulae."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.layers import (
    AVCosineMap,
    ClassDistribution,
    MapMatchScore,
    MaskedObjectFeature,
    ObjectDictionary,
    ScaleShift,
    SilentGate,
    SoundingMask,
)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


FEATURES = np.array([[[[3, 4], [-3, -4]], [[4, -3], [0, 0]]]], "float32")
SOUND = np.array([[6, 8]], "float32")


def test_a_map_of_cosines_by_hand():
    found = to_numpy(AVCosineMap()(FEATURES, SOUND))
    expected = sigmoid([[5, -5], [0, 0]])
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-6)


def test_the_variant_with_inner_products_has_a_bias():
    layer = AVCosineMap(scale=0.1, normalise=False, use_bias=True)
    layer.bias.assign(1.0)
    found = to_numpy(layer(FEATURES, SOUND))[0, ..., 0]
    np.testing.assert_allclose(found, sigmoid([[6, -4], [1, 1]]), atol=1e-6)
    assert len(layer.trainable_variables) == 2


def test_the_scale_can_be_fixed_and_zeros_have_finite_gradients():
    assert not AVCosineMap(trainable_scale=False).trainable_variables
    layer = AVCosineMap()
    found = gradient(lambda x: ops.sum(layer(x, SOUND)), FEATURES)
    assert np.isfinite(found).all()


def test_scores_of_the_whole_and_of_quadrants():
    maps = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    assert to_numpy(MapMatchScore()(maps)).tolist() == [[15]]
    assert to_numpy(MapMatchScore(2)(maps)).tolist() == [[5, 7, 13, 15]]
    assert to_numpy(MapMatchScore(2, "mean")(maps)).tolist() == [[2.5, 4.5, 10.5, 12.5]]


def test_a_map_that_cannot_be_cut_is_said():
    with pytest.raises(ValueError, match="grid=1"):
        MapMatchScore(2)(np.zeros((1, 5, 4, 1), "float32"))


def test_a_mask_grows_by_one_step_but_not_from_the_border():
    maps = np.zeros((1, 5, 5, 1), "float32")
    maps[0, 2, 2] = maps[0, 0, 4] = 0.5
    found = to_numpy(SoundingMask(0.05)(maps))[0, ..., 0]
    expected = np.zeros((5, 5))
    expected[2, 1:4] = expected[1:4, 2] = expected[0, 4] = 1
    np.testing.assert_array_equal(found, expected)
    plain = to_numpy(SoundingMask(0.05, dilate=False)(maps))
    assert plain.sum() == 2


def test_growth_of_an_inner_cell_reaches_the_border():
    maps = np.zeros((1, 4, 3, 1), "float32")
    maps[0, 1, 1] = 1
    found = to_numpy(SoundingMask()(maps))[0, ..., 0]
    assert found.tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0], [0, 0, 0]]


def test_a_mask_has_no_gradient():
    maps = np.full((1, 3, 3, 1), 0.5, "float32")
    mask = SoundingMask()
    found = gradient(lambda x: ops.sum(mask(x) * x), maps)
    np.testing.assert_array_equal(found, np.ones_like(maps))


def test_object_features_know_size_or_not():
    mask = np.array([[[[1], [0]], [[1], [0]]]], "float32")
    whole = to_numpy(MaskedObjectFeature()(FEATURES, mask))
    np.testing.assert_allclose(whole, [[7 / 4, 1 / 4]])
    area = to_numpy(MaskedObjectFeature("area")(FEATURES, mask))
    np.testing.assert_allclose(area, [[7 / 2, 1 / 2]])
    empty = to_numpy(MaskedObjectFeature("area")(FEATURES, 0 * mask))
    np.testing.assert_array_equal(empty, [[0, 0]])


def test_gates_by_hand():
    maps = np.array([[[[2.0, -1.0]]]], "float32")
    sounding = np.array([[[[0.5]]]], "float32")
    assert to_numpy(SilentGate()(maps, sounding)).tolist() == [[[[1.0, -0.5]]]]
    least = to_numpy(SilentGate("minimum")(maps, sounding))
    assert least.tolist() == [[[[0.5, -1.0]]]]
    assert to_numpy(SilentGate("off")(maps, sounding)).tolist() == maps.tolist()


def test_scale_and_shift_start_as_nothing():
    layer = ScaleShift()
    assert to_numpy(layer(np.array([2.0, 3.0]))).tolist() == [2, 3]
    layer.scale.assign(2.0)
    layer.shift.assign(1.0)
    assert to_numpy(layer(np.array([2.0, 3.0]))).tolist() == [5, 7]


def test_a_distribution_of_classes_by_hand():
    maps = np.log(np.array([[[[1, 2, 5]], [[1, 2, 5]]]], "float32"))
    found = np.exp(to_numpy(ClassDistribution()(maps)))
    np.testing.assert_allclose(found, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-5)
    sharper = np.exp(to_numpy(ClassDistribution(temperature=0.5)(maps)))
    np.testing.assert_allclose(sharper, [[1 / 30, 4 / 30, 25 / 30]], rtol=1e-5)


def clusters(rng, count=20, noise=0.05):
    """Features of three directions, whose lengths differ, and the directions."""
    ids = np.repeat(np.arange(3), count)
    unit = np.eye(3, 4)[ids] + noise * rng.normal(size=(3 * count, 4))
    return unit * rng.uniform(0.5, 2, (3 * count, 1)), ids


def test_a_dictionary_finds_clusters_and_holds_raw_means():
    features, truth = clusters(np.random.default_rng(0))
    dictionary = ObjectDictionary(3, 4)
    ids = dictionary.fit(features)
    assert len({(i, t) for i, t in zip(ids, truth, strict=True)}) == 3
    for cluster in range(3):
        mean = features[ids == cluster].mean(axis=0)
        np.testing.assert_allclose(dictionary.prototypes[cluster], mean, rtol=1e-5)
    np.testing.assert_array_equal(dictionary.predict(features), ids)
    row = to_numpy(dictionary.prototypes)[1]
    maps = to_numpy(dictionary(np.ones((1, 2, 2, 4), "float32")))
    np.testing.assert_allclose(maps[0, 0, 0, 1], row.sum(), rtol=1e-5)


def test_rows_of_unit_length_do_not_let_long_ones_win():
    features = np.repeat(np.eye(2, 3), 4, axis=0)
    features[:4] *= 100.0
    seen = np.array([[[[0.6, 0.8, 0.0]]]], "float32")
    said = []
    for unit_rows in (False, True):
        dictionary = ObjectDictionary(2, 3, unit_rows=unit_rows)
        dictionary.fit(features)
        said.append(to_numpy(dictionary(seen))[0, 0, 0])
    # Which cluster is the first direction's is for K-means to say.
    raw, unit = (row[dictionary.predict(features[[0, 4]])] for row in said)
    np.testing.assert_allclose(raw, [60.0, 0.8], rtol=1e-6)
    np.testing.assert_allclose(unit, [0.6, 0.8], rtol=1e-6)


def test_clusters_keep_their_numbers_whatever_the_order_and_the_seed():
    rng = np.random.default_rng(1)
    features, _ = clusters(rng)
    dictionary = ObjectDictionary(3, 4)
    first = dictionary.fit(features)
    for seed in range(5):
        dictionary.seed = seed
        order = rng.permutation(len(features))
        again = dictionary.fit(features[order])
        np.testing.assert_array_equal(again, first[order])


def test_numbers_go_by_direction_however_long_the_rows_are():
    dictionary = ObjectDictionary(2, 3)
    dictionary.prototypes.assign([[100.0, 0, 0], [0, 1, 0]])
    # Inner products would take the first centre for the long row.
    centres = [[0.8, 0.6, 0.0], [0.7, 0.1, 0.7071]]
    assert dictionary.keep_numbers(centres).tolist() == [1, 0]


def test_maps_may_be_of_any_size():
    features, maps = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    outputs = [
        MapMatchScore()(maps),
        MaskedObjectFeature()(features, SoundingMask()(maps)),
    ]
    model = keras.Model([features, maps], outputs)
    rng = np.random.default_rng(0)
    for size in ((1, 1), (3, 5), (6, 6)):
        x = rng.normal(size=(2, *size, 3)).astype("float32")
        score, objects = model([x, np.full((2, *size, 1), 0.5, "float32")])
        np.testing.assert_allclose(to_numpy(score), [[0.5], [0.5]])
        np.testing.assert_allclose(to_numpy(objects), x.mean(axis=(1, 2)), atol=1e-6)


def test_a_dictionary_follows_features_that_have_moved():
    features, _ = clusters(np.random.default_rng(0))
    dictionary = ObjectDictionary(3, 4)
    ids = dictionary.fit(features)
    # Turned and stretched: what was near stays near.
    moved = 2.0 * features[:, [1, 2, 3, 0]]
    dictionary.refresh(moved, ids)
    for cluster in range(3):
        mean = moved[ids == cluster].mean(axis=0)
        np.testing.assert_allclose(dictionary.prototypes[cluster], mean, rtol=1e-5)
    np.testing.assert_array_equal(dictionary.predict(moved), ids)


def test_an_empty_cluster_keeps_a_finite_row():
    dictionary = ObjectDictionary(3, 2)
    ids = dictionary.fit(np.tile([[1.0, 0.0], [0.0, 1.0]], (4, 1)))
    assert len(set(ids)) == 2
    assert np.isfinite(to_numpy(dictionary.prototypes)).all()
    assert sorted(to_numpy(dictionary.counts).tolist()) == [0, 4, 4]


def test_features_that_cannot_be_clustered_are_said():
    with pytest.raises(ValueError, match="3 clusters"):
        ObjectDictionary(3, 2).fit(np.ones((2, 2)))
    with pytest.raises(ValueError, match="not finite"):
        ObjectDictionary(2, 2).fit([[1.0, np.nan], [1.0, 1.0]])


def test_a_dictionary_survives_saving(tmp_path):
    dictionary = ObjectDictionary(3, 4, seed=5, unit_rows=True)
    features, _ = clusters(np.random.default_rng(2))
    ids = dictionary.fit(features)
    inputs = keras.Input((2, 2, 4))
    keras.Model(inputs, dictionary(inputs)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").layers[-1]
    assert loaded.seed == 5
    np.testing.assert_array_equal(loaded.predict(features), ids)


@pytest.mark.parametrize(
    "layer",
    [
        AVCosineMap(2.0, False, False, True),
        ClassDistribution(0.5),
        MapMatchScore(2, "mean"),
        MaskedObjectFeature("area"),
        ScaleShift(),
        SilentGate("minimum"),
        SoundingMask(0.2, False),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configurations_come_back(layer):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


@pytest.mark.parametrize(
    "make",
    [
        lambda: MapMatchScore(0),
        lambda: MapMatchScore(1, "median"),
        lambda: MaskedObjectFeature("cells"),
        lambda: SilentGate("sum"),
        lambda: ClassDistribution(0.0),
    ],
)
def test_wrong_arguments_are_refused(make):
    with pytest.raises(ValueError, match="`"):
        make()
