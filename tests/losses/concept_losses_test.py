import numpy as np
import pytest
from gradients import gradients
from keras import ops

from keras_avrep.losses import (
    concept_fidelity,
    local_concept_contrast,
    swapped_prediction,
    wrong_mode_entropy,
)


def to_float(x):
    return float(ops.convert_to_numpy(x))


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_swapped_prediction_goes_over_all_ordered_pairs():
    logits, codes = draw((3, 4, 5)), np.abs(draw((3, 4, 5), seed=1))
    codes /= codes.sum(axis=-1, keepdims=True)
    scaled = logits / 0.1
    log = scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))
    pairs = [
        -(codes[i] * log[k]).sum(axis=-1).mean()
        for i in range(3)
        for k in range(3)
        if k != i
    ]
    found = to_float(swapped_prediction(codes, logits))
    assert found == pytest.approx(np.mean(pairs), rel=1e-5)


def test_swapped_prediction_is_the_logarithm_of_k_at_the_start():
    concepts, inputs = unit(draw((100, 512))), unit(draw((4, 64, 512), seed=1))
    codes = np.full((4, 64, 100), 0.01, "float32")
    found = to_float(swapped_prediction(codes, inputs @ concepts.T))
    assert found == pytest.approx(np.log(100), abs=0.15)


def test_one_view_cannot_be_swapped():
    with pytest.raises(ValueError, match="logits"):
        swapped_prediction(np.ones((1, 2, 3)), np.ones((1, 2, 3)))


def test_entropy_lies_between_its_bounds():
    assert to_float(wrong_mode_entropy(np.zeros((3, 7), "float32"))) == pytest.approx(
        -np.log(7), rel=1e-5
    )
    sure = 100 * np.eye(7, dtype="float32")
    assert to_float(wrong_mode_entropy(sure)) == pytest.approx(0, abs=1e-6)
    # A random start is close to even.
    cosines = unit(draw((32, 512))) @ unit(draw((100, 512), seed=1)).T
    found = to_float(wrong_mode_entropy(cosines))
    assert found == pytest.approx(-np.log(100), abs=0.15)


def test_minimising_the_entropy_term_evens_out():
    logits = draw((1, 4)) * 0.1
    slope = gradients(wrong_mode_entropy, logits)[0]
    assert to_float(wrong_mode_entropy(logits - 0.01 * slope)) < to_float(
        wrong_mode_entropy(logits)
    )


def test_fidelity_is_a_cosine_whose_target_does_not_move():
    x = draw((5, 6))
    assert to_float(concept_fidelity(3 * x, x)) == pytest.approx(-1, abs=1e-5)
    assert to_float(concept_fidelity(-x, x)) == pytest.approx(1, abs=1e-5)
    rebuilt, target = gradients(concept_fidelity, draw((5, 6), seed=1), x)
    assert np.abs(rebuilt).max() > 0
    assert np.abs(target).max() == 0


def local_by_hand(u, masks, margin):
    batch, _, concepts, _ = u.shape
    total, count = 0.0, 0.0
    for i, j in ((0, 1), (1, 0)):
        for b in range(batch):
            for n in range(concepts):
                w = masks[b, i, n] * masks[b, j, n]
                count += w
                for p in range(batch):
                    cosine = u[b, i, n] @ u[p, j, n]
                    d = np.sqrt(2 - 2 * cosine + 1e-5)
                    if p == b:
                        total += w * d**2
                    else:
                        total += w * max(margin - d, 0) ** 2 / (batch - 1)
    return total / (1 + count)


def test_local_contrast_by_hand():
    u = unit(draw((3, 2, 4, 6)))
    masks = (draw((3, 2, 4), seed=1) > -0.5).astype("float32")
    assert 0 < (masks[:, 0] * masks[:, 1]).sum() < 12
    found = local_concept_contrast(
        u[:, 0], u[:, 1], masks[:, 0], masks[:, 1], margin=1.4
    )
    assert to_float(found) == pytest.approx(local_by_hand(u, masks, 1.4), rel=1e-4)


@pytest.mark.parametrize("chunks", [2, 4])
def test_local_contrast_in_parts_is_the_same(chunks):
    u = unit(draw((4, 2, 3, 6)))
    masks = (draw((4, 2, 3), seed=1) > -0.5).astype("float32")
    fixed = (masks[:, 0], masks[:, 1])

    def loss(parts):
        return lambda a, b: local_concept_contrast(a, b, *fixed, chunks=parts)

    whole, chunked = loss(1), loss(chunks)
    clips = u[:, 0], u[:, 1]
    assert to_float(chunked(*clips)) == pytest.approx(to_float(whole(*clips)), rel=1e-5)
    for a, b in zip(gradients(whole, *clips), gradients(chunked, *clips), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_margin_is_a_cosine_of_two_hundredths():
    def pair(cosine):
        other = [cosine, np.sqrt(1 - cosine**2)]
        u = np.array([[[1.0, 0.0]], [other]], "float32")
        ones = np.ones((2, 1), "float32")
        return to_float(local_concept_contrast(u, u, ones, ones)) - 4e-5 / 5

    assert pair(0.019) == pytest.approx(0, abs=1e-6)
    assert pair(0.1) > 1e-4


def test_no_survivor_is_no_loss_and_one_video_has_no_negatives():
    u, none = unit(draw((3, 4, 6))), np.zeros((3, 4), "float32")
    assert to_float(local_concept_contrast(u, u, none, none)) == 0
    ones = np.ones((1, 4), "float32")
    alone = to_float(local_concept_contrast(u[:1], u[:1], ones, ones))
    assert alone == pytest.approx(8e-5 / 9, abs=1e-6)


def test_identical_features_have_finite_gradients():
    u = np.repeat(unit(draw((1, 4, 6))), 3, axis=0)
    ones = np.ones((3, 4), "float32")
    slopes = gradients(lambda a, b: local_concept_contrast(a, b, ones, ones), u, u)
    for slope in slopes:
        assert np.isfinite(slope).all()
        assert np.abs(slope).max() > 0
