import keras
import numpy as np
import pytest
import torch

from keras_avrep.training import AdamWithL2, SGDWithL2


def steps_of(optimizer, start, gradients, iterations=0):
    """Values of a variable after each gradient, some steps into a training."""
    variable = keras.Variable(start, name="kernel")
    optimizer.build([variable])
    optimizer.iterations.assign(iterations)
    values = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        values.append(keras.ops.convert_to_numpy(variable.value))
    return np.stack(values)


def test_steps_are_those_of_pytorch():
    rng = np.random.default_rng(0)
    start = rng.normal(size=5).astype("float32")
    gradients = 0.01 * rng.normal(size=(4, 5)).astype("float32")
    found = steps_of(AdamWithL2(0.1, l2=0.05, epsilon=1e-8), start, gradients)
    parameter = torch.nn.Parameter(torch.tensor(start))
    peer = torch.optim.Adam([parameter], lr=0.1, weight_decay=0.05)
    for gradient, value in zip(gradients, found, strict=True):
        parameter.grad = torch.tensor(gradient)
        peer.step()
        # PyTorch adds its epsilon at another place.
        np.testing.assert_allclose(value, parameter.detach().numpy(), atol=1e-4)
    plain = steps_of(keras.optimizers.Adam(0.1, epsilon=1e-8), start, gradients)
    assert np.abs(plain - found).max() > 0.01


def test_what_starts_late_steps_as_in_pytorch():
    rng = np.random.default_rng(1)
    start = rng.normal(size=5).astype("float32")
    gradients = 0.01 * rng.normal(size=(8, 5)).astype("float32")
    gradients[:3] = 0.0
    found = steps_of(AdamWithL2(0.1, l2=0.05, epsilon=1e-8), start, gradients, 10_000)
    parameter = torch.nn.Parameter(torch.tensor(start))
    peer = torch.optim.Adam([parameter], lr=0.1, weight_decay=0.05)
    for gradient, value in zip(gradients, found, strict=True):
        # Of a frozen parameter PyTorch's gradient is none at all.
        parameter.grad = torch.tensor(gradient) if gradient.any() else None
        peer.step()
        np.testing.assert_allclose(value, parameter.detach().numpy(), atol=1e-4)
    plain = steps_of(keras.optimizers.Adam(0.1, epsilon=1e-8), start, gradients, 10_000)
    assert np.abs(plain[3] - start).max() > 0.3 > np.abs(found[3] - start).max()


@pytest.mark.parametrize("kind", [AdamWithL2, SGDWithL2])
def test_what_has_no_gradient_is_left_alone(kind):
    rng = np.random.default_rng(0)
    start = rng.normal(size=5).astype("float32")
    none = np.zeros((3, 5), "float32")
    np.testing.assert_array_equal(steps_of(kind(0.1, l2=0.1), start, none)[-1], start)
    # Zeros beside other numbers decay as the rest does.
    some = np.eye(1, 5, dtype="float32")
    found = steps_of(kind(0.1, l2=0.1), start, some)[-1]
    assert (np.abs(found[1:]) < np.abs(start[1:])).all()


def test_rates_differ_by_the_path_of_a_variable():
    inputs = keras.Input((3,))
    x = keras.layers.Dense(2, name="trunk")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, name="classifier")(x))
    model.compile(AdamWithL2(0.001, l2=0.0, rate_factors={"classifier": 10.0}), "mse")
    before = [v.numpy() for v in model.trainable_variables]
    model.fit(np.ones((4, 3)), 5 * np.ones((4, 1)), verbose=0)
    after = [v.numpy() for v in model.trainable_variables]
    moved = [np.abs(a - b).max() for a, b in zip(after, before, strict=True)]
    np.testing.assert_allclose(moved, [0.001, 0.001, 0.01, 0.01], rtol=0.01)


def test_the_configuration_comes_back():
    optimizer = AdamWithL2(0.01, 0.5, {"head": 2.0}, beta_1=0.8)
    again = AdamWithL2.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert again.l2 == 0.5 and again.rate_factors == {"head": 2.0}
    with pytest.raises(ValueError, match="l2"):
        AdamWithL2(l2=-1.0)
