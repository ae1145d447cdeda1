"""Layers that erase interference: golden values by hand from IEr's formulae."""

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.layers import (
    AudioInstanceIdentifier,
    AVCosineMap,
    ClassVisualMaps,
    CrossModalReferrer,
    MatchedPrototypeScore,
    OffScreenFilter,
    PseudoMultiHot,
    SilentObjectFilter,
    unit_length,
)


def to_numpy(x):
    return ops.convert_to_numpy(x)


def softmax(x):
    shares = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def maps_of(*cells):
    """One picture of 1 x 2 cells from the values of each class."""
    return np.array(cells, "float32").T[None, None]


def test_a_row_of_zeros_stays_and_has_a_finite_gradient():
    x = np.array([[3, 4], [0, 0]], "float32")
    np.testing.assert_allclose(to_numpy(unit_length(x)), [[0.6, 0.8], [0, 0]])
    assert np.isfinite(gradient(lambda v: ops.sum(unit_length(v)), x)).all()


@pytest.mark.parametrize("rank", [None, 2])
def test_steps_are_zero_at_first_and_each_class_has_the_sound_itself(rank):
    rng = np.random.default_rng(0)
    identify = AudioInstanceIdentifier(3, rank)
    audio = rng.normal(size=(2, 4)).astype("float32")
    expanded = to_numpy(identify(rng.normal(size=(2, 5)).astype("float32"), audio))
    np.testing.assert_array_equal(expanded, np.repeat(audio[:, None], 3, axis=1))
    sizes = {None: 5 * 12 + 12, 2: 5 * 2 + 2 * 12 + 12}
    assert identify.count_params() == sizes[rank]


def test_a_step_is_linear_in_the_mean_of_the_mid_level_map():
    identify = AudioInstanceIdentifier(2)
    audio = np.array([[1.0, 10.0]], "float32")
    middle = np.array([[[[1.0, 0.0], [3.0, 4.0]]]], "float32")  # mean: 2, 2
    identify.build(middle.shape, audio.shape)
    # Rows: channels of the map; columns: class 0 (two numbers), class 1 (two).
    identify.kernel.assign([[1, 0, 0, 1], [0, 1, 0, 1]])
    identify.bias.assign([0, 0, 0.5, 0])
    np.testing.assert_allclose(
        to_numpy(identify(middle, audio)), [[[3.0, 12.0], [1.5, 14.0]]]
    )


def test_only_the_matching_prototype_is_compared():
    vectors = np.array([[[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]]], "float32")
    prototypes = np.array([[1.0, 0.0], [0.0, 5.0], [1.0, 1.0]], "float32")
    score = to_numpy(MatchedPrototypeScore()(vectors, prototypes))
    np.testing.assert_allclose(score, [[0.6, 1.0, 0.0]], atol=1e-6)


def test_visual_maps_are_cosines_and_negative_ones_are_cut():
    features = np.array([[3.0, 4.0], [-1.0, 0.0]], "float32")[None, None]
    prototypes = np.array([[2.0, 0.0], [0.0, 1.0]], "float32")
    cosines = [[[[0.6, 0.8], [-1.0, 0.0]]]]
    plain = to_numpy(ClassVisualMaps(relu=False)(features, prototypes))
    np.testing.assert_allclose(plain, cosines, atol=1e-6)
    cut = to_numpy(ClassVisualMaps()(features, prototypes))
    np.testing.assert_allclose(cut, np.maximum(cosines, 0), atol=1e-6)


def test_sound_maps_have_one_vector_for_each_class():
    features = np.array([[3.0, 4.0], [-1.0, 0.0]], "float32")[None, None]
    vectors = np.array([[[1.0, 0.0], [0.0, 7.0], [0.0, 0.0]]], "float32")
    maps = to_numpy(AVCosineMap(5.0)(features, vectors))
    logits = 5.0 * np.array([[[[0.6, 0.8, 0.0], [-1.0, 0.0, 0.0]]]])
    np.testing.assert_allclose(maps, 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_sound_maps_take_pictures_of_any_size():
    picture, sound = keras.Input((None, None, 4)), keras.Input((3, 4))
    maps = AVCosineMap()(picture, sound)
    assert maps.shape == (None, None, None, 3)
    model = keras.Model([picture, sound], maps)
    for height, width in ((2, 3), (5, 1)):
        found = model([np.ones((2, height, width, 4)), np.ones((2, 3, 4))])
        assert found.shape == (2, height, width, 3)


def test_silent_objects_are_muted_and_the_rest_is_a_distribution():
    seen, heard = maps_of([0.8, 0.4], [0.5, 0.5]), maps_of([1.0, 0.5], [0.0, 0.2])
    out = SilentObjectFilter(logit_scale=10.0)(seen, heard)
    np.testing.assert_allclose(
        to_numpy(out["class_maps"]), maps_of([0.8, 0.2], [0.0, 0.1]), atol=1e-6
    )
    shares = softmax(np.array([[5.0, 0.5]]))
    np.testing.assert_allclose(
        np.exp(to_numpy(out["log_distribution"])), shares, atol=1e-6
    )
    off = SilentObjectFilter(enabled=False)(seen, heard)
    np.testing.assert_allclose(to_numpy(off["class_maps"]), seen)


# Class 0 fills the picture, class 1 half of it, class 2 is below every threshold.
SEEN = maps_of([0.8, 0.8], [0.5, 0.2], [0.1, 0.19])
SCORES = np.array([[0.2, 0.5, 0.9]], "float32")


def test_how_much_is_seen_follows_the_threshold_of_each_map():
    np.testing.assert_allclose(to_numpy(OffScreenFilter().seen(SEEN)), [[1, 0.5, 0]])
    some = OffScreenFilter(amount="any").seen(SEEN)
    np.testing.assert_allclose(to_numpy(some), [[1, 1, 0]])


def test_the_order_of_the_figure_erases_what_is_not_seen():
    out = OffScreenFilter("figure", logit_scale=10.0)(SCORES, SEEN)
    shares = softmax(10.0 * SCORES) * [[1, 0.5, 0]]
    shares /= shares.sum()
    np.testing.assert_allclose(to_numpy(out["distribution"]), shares, atol=1e-6)
    np.testing.assert_allclose(
        to_numpy(out["log_unfiltered"]), np.log(softmax(10.0 * SCORES)), atol=1e-5
    )
    assert to_numpy(out["log_distribution"])[0, 2] <= -60


def test_the_order_of_the_notes_leaves_it_a_weight_of_one():
    out = OffScreenFilter("notes", logit_scale=10.0)(SCORES, SEEN)
    weighted = np.array([[0.2, 0.25, 0.0]]) / 0.45
    shares = softmax(10.0 * weighted)
    np.testing.assert_allclose(to_numpy(out["distribution"]), shares, atol=1e-5)
    assert shares[0, 2] > 0


@pytest.mark.parametrize("order", ["figure", "notes"])
def test_where_nothing_is_seen_all_that_is_heard_stays(order):
    out = OffScreenFilter(order)(np.repeat(SCORES, 2, 0), np.repeat(SEEN, 2, 0) * [0.1])
    heard = np.repeat(softmax(10.0 * SCORES), 2, axis=0)
    np.testing.assert_allclose(to_numpy(out["distribution"]), heard, atol=1e-6)
    off = OffScreenFilter(order, enabled=False)(SCORES, SEEN)
    np.testing.assert_allclose(to_numpy(off["distribution"]), heard[:1], atol=1e-6)


@pytest.mark.parametrize("order", ["figure", "notes"])
@pytest.mark.parametrize("strength", [1.0, 0.1])
def test_the_mask_has_no_gradient_and_the_scores_a_finite_one(order, strength):
    filter = OffScreenFilter(order)
    seen = SEEN * np.float32(strength)

    def loss(scores, maps):
        return ops.sum(
            filter(scores, maps)["log_distribution"] * ops.array([1.0, 2, 0])
        )

    to_maps = gradient(lambda maps: loss(SCORES, maps), seen)
    np.testing.assert_array_equal(to_maps, np.zeros_like(seen))
    to_scores = gradient(lambda scores: loss(scores, seen), SCORES)
    assert np.isfinite(to_scores).all()
    assert np.abs(to_scores).max() > 0


def test_the_referrer_assembles_maps_filters_and_both_distributions():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2, 3, 3, 4)).astype("float32")
    vectors = rng.normal(size=(2, 5, 4)).astype("float32")
    seen_rows, heard_rows = rng.normal(size=(2, 5, 4)).astype("float32")
    maps = AVCosineMap(3.0)(features, vectors)
    out = CrossModalReferrer(order="figure")(
        features, maps, vectors, seen_rows, heard_rows
    )
    out = {name: to_numpy(x) for name, x in out.items()}
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (features, vectors)]
    rows = seen_rows / np.linalg.norm(seen_rows, axis=-1, keepdims=True)
    seen = np.maximum(np.einsum("bhwc,kc->bhwk", unit[0], rows), 0)
    fit = 1 / (1 + np.exp(-3.0 * np.einsum("bhwc,bkc->bhwk", *unit)))
    np.testing.assert_allclose(out["class_maps"], seen * fit, atol=1e-5)
    shares = softmax(10 * (seen * fit).mean(axis=(1, 2)))
    np.testing.assert_allclose(
        np.exp(out["visual_log_distribution"]), shares, atol=1e-5
    )
    rows = heard_rows / np.linalg.norm(heard_rows, axis=-1, keepdims=True)
    scores = np.einsum("bkc,kc->bk", unit[1], rows)
    np.testing.assert_allclose(out["audible_scores"], scores, atol=1e-5)
    limit = np.maximum(0.2, 0.5 * seen.max(axis=(1, 2), keepdims=True))
    heard = softmax(10 * scores) * (seen > limit).mean(axis=(1, 2))
    heard /= heard.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(out["audio_distribution"], heard, atol=1e-5)


def test_switches_of_the_referrer_reach_its_filters():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2, 3, 3, 4)).astype("float32")
    vectors = rng.normal(size=(2, 5, 4)).astype("float32")
    rows = rng.normal(size=(5, 4)).astype("float32")
    plain = CrossModalReferrer(silent_filter=False, off_screen_filter=False)
    out = plain(features, AVCosineMap()(features, vectors), vectors, rows, rows)
    for first, second in (
        ("class_maps", "visual_maps"),
        ("audio_log_distribution", "heard_log_distribution"),
    ):
        np.testing.assert_array_equal(to_numpy(out[first]), to_numpy(out[second]))


def test_labels_of_mixtures_are_those_of_the_sounds_in_them():
    labels = [[0, 2, 2], [3, 3, 1], [1, -1, 0]]
    present = [[True, True, False], [True, False, False], [True, True, False]]
    np.testing.assert_array_equal(
        to_numpy(PseudoMultiHot(4)(np.array(labels), np.array(present))),
        [[1, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]],
    )
    np.testing.assert_array_equal(
        to_numpy(PseudoMultiHot(4)(np.array(labels))),
        [[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0]],
    )


def test_layers_survive_their_config():
    layers = [
        AudioInstanceIdentifier(3, rank=2),
        ClassVisualMaps(relu=False),
        CrossModalReferrer(4.0, 6.0, False, False, False, "figure", "any", 0.1, 0.3),
        MatchedPrototypeScore(),
        OffScreenFilter("notes", "any", 0.1, 0.3, 4.0, False),
        PseudoMultiHot(3),
        SilentObjectFilter(4.0, False),
    ]
    for layer in layers:
        again = keras.layers.deserialize(keras.layers.serialize(layer))
        assert again.get_config() == layer.get_config()


def test_wrong_arguments_are_named():
    for make, argument in (
        (lambda: AudioInstanceIdentifier(0), "num_classes"),
        (lambda: AudioInstanceIdentifier(2, rank=0), "rank"),
        (lambda: OffScreenFilter("paper"), "order"),
        (lambda: OffScreenFilter(amount="all"), "amount"),
        (lambda: SilentObjectFilter(0.0), "logit_scale"),
    ):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            make()
