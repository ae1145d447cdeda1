"""The local term of ConST-CL is the mean of its two directions."""

import numpy as np
import pytest
import tiny_const_cl as tiny
from golden_regions import FIRST, MASK, SECOND
from keras import ops

from keras_avrep.losses import match_most_similar, region_nce

WEIGHTS = {"global": 1.0, "local": 1.0}


def value(x):
    return float(ops.convert_to_numpy(x))


def local_loss(model, views):
    outputs = {"global": [np.eye(3, 8, dtype="float32")] * 2, "local": views}
    return value(model.compute_losses(outputs)["local"])


def both_ways(first, second, masked=False, **options):
    """The loss of each direction by itself."""
    return [
        value(
            region_nce(
                source["transformed"],
                target["regions"],
                match_most_similar(source["regions"], target["regions"]),
                source["mask"] if masked else None,
                **options,
            )
        )
        for source, target in ((first, second), (second, first))
    ]


def test_the_model_gives_the_golden_value_of_the_note():
    # The released test calls the other view's regions what they were rewritten to.
    views = [
        {"regions": FIRST, "transformed": SECOND, "mask": MASK},
        {"regions": SECOND, "transformed": FIRST, "mask": MASK},
    ]
    # One way gives 1.723377, the other 1.610311.
    model = tiny.build(loss_weights=WEIGHTS, mask_targets=False)
    found = local_loss(model, views)
    assert found == pytest.approx(1.666844, abs=1e-4)


def test_each_direction_has_its_own_query_target_match_and_mask():
    def draw(*shape):
        return rng.normal(size=shape).astype("float32")

    rng = np.random.default_rng(0)
    masks = rng.uniform(size=(2, 3, 4)) < 0.6
    first, second = (
        {"regions": draw(3, 4, 6), "transformed": draw(3, 4, 6), "mask": mask}
        for mask in masks
    )
    there, back = both_ways(first, second, masked=True, temperature=0.3)
    assert abs(there - back) > 0.1
    options = {"local_temperature": 0.3, "mask_targets": False}
    model = tiny.build(loss_weights=WEIGHTS, **options)
    found = local_loss(model, [first, second])
    assert found == pytest.approx((there + back) / 2, rel=1e-5)


def test_regions_of_a_batch_are_contrasted_both_ways():
    model = tiny.build(loss_weights=WEIGHTS)
    drawn = tiny.draw_views(np.random.default_rng(0))
    views = {name: ops.convert_to_tensor(x) for name, x in drawn.items()}
    outputs = model.query_forward(views, {})
    first, second = outputs["local"]
    there, back = both_ways(first, second)
    found = value(model.compute_losses(outputs)["local"])
    assert found == pytest.approx((there + back) / 2, rel=1e-5)
    assert abs(there - back) > 1e-3 * found
