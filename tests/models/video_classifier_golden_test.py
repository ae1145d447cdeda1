"""How the class layer starts, as section 6.2 of the note of DCLR has it."""

import numpy as np
import pytest
from tiny_dclr import build

from keras_avrep.models import VideoClassifier


def test_the_class_layer_starts_at_a_normal_of_a_hundredth_without_bias():
    layer = VideoClassifier(build().backbone, 2000).get_layer("logits")
    kernel, bias = layer.get_weights()
    assert kernel.size == 64_000
    np.testing.assert_array_equal(bias, 0)
    assert kernel.mean() == pytest.approx(0, abs=2e-4)
    assert kernel.std() == pytest.approx(0.01, rel=0.02)
    # Neither uniform nor cut off at two deviations.
    within = [(np.abs(kernel) < 0.01 * n).mean() for n in (1, 2, 3)]
    assert within == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.01)
    assert 0.03 < np.abs(kernel).max() < 0.06
