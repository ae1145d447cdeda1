import math

import keras
import numpy as np
import pytest
import torch

from keras_avrep.models import SYSTEMS, system_of
from keras_avrep.training import (
    DEFAULT_RECIPE,
    AdamWithL2,
    SGDWithL2,
    make_optimizer,
)


def rates(recipe, steps, at, batch_size=None):
    """Learning rates of a recipe before some steps of a run."""
    optimizer = make_optimizer(recipe, steps, batch_size)
    optimizer.build([keras.Variable([1.0])])
    found = []
    for step in at:
        optimizer.iterations.assign(step)
        found.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return found


def recipe_of(preset):
    return system_of(preset).presets[preset]["optimizer"]


def test_the_default_is_adam_on_a_cosine_after_a_warm_up():
    assert type(make_optimizer(DEFAULT_RECIPE, 100)).__name__ == "Adam"
    found = rates(DEFAULT_RECIPE, 200, [0, 10, 105, 200])
    np.testing.assert_allclose(found, [1e-4, 1e-3, 5e-4, 0], atol=1e-8)


@pytest.mark.parametrize(
    ("preset", "steps", "at", "expected"),
    [
        (
            "dclr_r2plus1d_ucf101",
            200,
            [0, 119, 120, 159, 160, 199],
            [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4],
        ),
        (
            "static_dynamic_concepts_r2plus1d_ucf101",
            300,
            [0, 199, 200, 299],
            [1e-3, 1e-3, 1e-4, 1e-4],
        ),
        (
            "static_dynamic_concepts_r2plus1d_k400",
            100,
            [69, 70],
            [1e-3, 1e-4],
        ),
        ("controllable_augmentations_r3d_18", 100, [69, 70], [1e-3, 1e-4]),
    ],
)
def test_rates_fall_to_a_tenth_at_their_rounds(preset, steps, at, expected):
    np.testing.assert_allclose(rates(recipe_of(preset), steps, at), expected, rtol=1e-5)


@pytest.mark.parametrize("preset", ["const_cl_resnet3d_50", "teg_both"])
def test_a_warm_up_rises_to_a_cosine_counted_from_the_start(preset):
    def cosine(step):
        return 40.96 * (1 + math.cos(math.pi * step / 100_000)) / 2

    at = [0, 1250, 2500, 50_000, 100_000]
    expected = [0, cosine(2500) / 2, cosine(2500), 20.48, 0]
    found = rates(recipe_of(preset), 100_000, at, batch_size=1024)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # In proportion to the videos of a step.
    (quarter,) = rates(recipe_of(preset), 100_000, [50_000], batch_size=256)
    assert quarter == pytest.approx(5.12, rel=1e-4)


def test_what_the_optimisers_of_the_presets_are():
    def made(preset):
        return make_optimizer(recipe_of(preset), 100, 64)

    sgd = made("dclr_r2plus1d_ucf101")
    assert isinstance(sgd, SGDWithL2)
    assert (sgd.momentum, sgd.l2, sgd.decayed) == (0.9, 1e-4, None)
    teg = made("teg_fine")
    assert (teg.momentum, teg.l2, teg.decayed) == (0.9, 1e-6, "kernel")
    # Its penalty is a term of the loss.
    assert made("const_cl_resnet3d_50").l2 == 0
    adam = made("controllable_augmentations_r2plus1d_18")
    assert isinstance(adam, AdamWithL2)
    assert adam.l2 == 1e-5
    for system in SYSTEMS:
        for name, preset in system.presets.items():
            assert ("tiny" in name) != ("optimizer" in preset), name


def test_steps_are_those_of_sgd_in_pytorch():
    rng = np.random.default_rng(0)
    start = rng.normal(size=5).astype("float32")
    variable = keras.Variable(start, name="kernel")
    other = keras.Variable(start, name="bias")
    optimizer = SGDWithL2(0.1, 0.9, l2=0.05, decayed="kernel")
    optimizer.build([variable, other])
    parameter = torch.nn.Parameter(torch.tensor(start))
    plain = torch.nn.Parameter(torch.tensor(start))
    peers = [
        torch.optim.SGD([parameter], lr=0.1, momentum=0.9, weight_decay=0.05),
        torch.optim.SGD([plain], lr=0.1, momentum=0.9),
    ]
    for gradient in 0.01 * rng.normal(size=(4, 5)).astype("float32"):
        mine = keras.ops.convert_to_tensor(gradient)
        optimizer.apply([mine, mine], [variable, other])
        parameter.grad, plain.grad = torch.tensor(gradient), torch.tensor(gradient)
        for peer in peers:
            peer.step()
        for found, expected in ((variable, parameter), (other, plain)):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(found), expected.detach().numpy(), atol=1e-6
            )


def test_the_configuration_comes_back():
    for preset in ("teg_both", "dclr_r2plus1d_ucf101"):
        optimizer = make_optimizer(recipe_of(preset), 100, 64)
        again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
        assert again.get_config() == optimizer.get_config()
    with pytest.raises(ValueError, match="l2"):
        SGDWithL2(l2=-1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "lion"}, "'lion' is unknown; there are .*adamw"),
        ({"warm_up": 0.1}, "unknown parts .*warm_up.*warmup"),
        ({"momentum": 0.9}, "unknown parts .*momentum"),
        ({"decay": "linear"}, "`decay` is 'linear'"),
        ({"decay": [0.8, 0.6]}, "shares of the run"),
        ({"decay": [120, 160]}, "shares of the run"),
        ({"warmup": 500}, "`warmup` is 500; give a share"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_one_sentence(change, message):
    with pytest.raises(ValueError, match=message) as error:
        make_optimizer({**DEFAULT_RECIPE, **change}, 100)
    assert "\n" not in str(error.value)
