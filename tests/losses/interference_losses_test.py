"""Losses of IEr: golden values by hand from its formulae."""

import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_avrep.losses import cross_modal_distillation, multi_label_prototype_loss

FIRST = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
SECOND = np.array([[0.25, 0.5, 0.25], [0.2, 0.2, 0.6]])
# 0.5 log 2 + 0.25 log 1/2, twice zero for the second row, and the mean of rows.
ONE_WAY = 0.25 * np.log(2) / 2


def value(x):
    return float(ops.convert_to_numpy(x))


def test_both_modalities_teach_each_other():
    log_first, log_second = np.log(FIRST), np.log(SECOND)
    both = value(cross_modal_distillation(log_first, log_second))
    assert both == pytest.approx(2 * ONE_WAY, abs=1e-6)
    for direction in ("first", "second"):
        one = value(cross_modal_distillation(log_first, log_second, direction))
        assert one == pytest.approx(ONE_WAY, abs=1e-6)


def test_directions_differ_and_swap_with_the_arguments():
    p, q = np.log([[0.9, 0.1]]), np.log([[0.5, 0.5]])
    forward = 0.9 * np.log(1.8) + 0.1 * np.log(0.2)
    backward = 0.5 * np.log(1 / 1.8) + 0.5 * np.log(5)
    assert value(cross_modal_distillation(p, q, "first")) == pytest.approx(
        forward, abs=1e-6
    )
    assert value(cross_modal_distillation(p, q, "second")) == pytest.approx(
        backward, abs=1e-6
    )
    assert value(cross_modal_distillation(q, p, "second")) == pytest.approx(
        forward, abs=1e-6
    )


def test_shares_of_nothing_cost_what_the_clip_allows():
    p, q = np.array([[0.0, -60.0]]), np.array([[-60.0, 0.0]])
    # log 1e-8 is -18.42; e^-60 times anything is nothing.
    assert value(cross_modal_distillation(p, q)) == pytest.approx(
        2 * -np.log(1e-8), rel=1e-5
    )


def test_a_teacher_has_no_gradient():
    p, q = np.log(FIRST), np.log(SECOND)

    def taught(p, q):
        return cross_modal_distillation(p, q, "first", detach="teacher")

    to_teacher = gradient(lambda p: taught(p, q.astype("float32")), p)
    np.testing.assert_array_equal(to_teacher, np.zeros_like(FIRST))
    to_learner = gradient(lambda q: taught(p.astype("float32"), q), q)
    # Of -sum p log q, over two rows.
    np.testing.assert_allclose(to_learner, -FIRST / 2, atol=1e-6)
    free = gradient(lambda p: cross_modal_distillation(p, q.astype("float32")), p)
    assert np.abs(free).max() > 0


def test_the_prototype_loss_decides_on_each_class_alone():
    scores, labels = np.array([[0.9, 0.3, -0.1]]), np.array([[1.0, 1.0, 0.0]])
    # logits 6, 0, -4
    expected = (np.log1p(np.exp(-6)) + np.log(2) + np.log1p(np.exp(-4))) / 3
    assert value(multi_label_prototype_loss(scores, labels)) == pytest.approx(
        expected, abs=1e-6
    )


def test_the_softmax_form_shares_its_target_out():
    scores, labels = np.array([[0.9, 0.3, -0.1]]), np.array([[1.0, 1.0, 0.0]])
    shares = np.exp(10 * scores[0]) / np.exp(10 * scores[0]).sum()
    expected = -0.5 * (np.log(shares[0]) + np.log(shares[1]))
    found = multi_label_prototype_loss(scores, labels, form="softmax")
    assert value(found) == pytest.approx(expected, rel=1e-5)
    none = multi_label_prototype_loss(scores, 0 * labels, form="softmax")
    assert value(none) == 0


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="`direction`"):
        cross_modal_distillation(FIRST, SECOND, "left")
    with pytest.raises(ValueError, match="`detach`"):
        cross_modal_distillation(FIRST, SECOND, detach=True)
    with pytest.raises(ValueError, match="`form`"):
        multi_label_prototype_loss(FIRST, SECOND, form="soft")
