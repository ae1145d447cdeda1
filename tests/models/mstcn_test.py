import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_avrep.losses import truncated_smoothing
from keras_avrep.models import MSTCN, train_mstcn
from keras_avrep.models.mstcn import pad_sequences


def head(**kwargs):
    sizes = {"num_stages": 2, "num_layers": 4, "num_filters": 16}
    return MSTCN(num_classes=3, feature_dim=4, **{**sizes, **kwargs})


def toy_sequences(count, rng, length=48):
    """Noisy features of three phases of unequal length, one class a phase."""
    features, labels = [], []
    for _ in range(count):
        cuts = np.sort(rng.choice(np.arange(6, length - 6), 2, replace=False))
        order = rng.permutation(3)
        label = order[np.searchsorted(cuts, np.arange(length), side="right")]
        signal = np.eye(3, 4)[label] + rng.normal(0, 0.7, (length, 4))
        features.append(signal.astype("float32"))
        labels.append(label)
    return features, labels


def test_learns_to_segment_a_toy_sequence():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    features, labels = toy_sequences(32, rng)
    model = head()
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(*pad_sequences(features, labels), batch_size=8, epochs=12, verbose=0)
    tests, truth = toy_sequences(10, rng)
    found = np.concatenate([model.label(x) for x in tests])
    truth = np.concatenate(truth)
    frame_by_frame = np.concatenate([x[:, :3].argmax(axis=1) for x in tests])
    assert (found == truth).mean() > 0.9
    assert (found == truth).mean() > (frame_by_frame == truth).mean() + 0.1
    assert np.count_nonzero(np.diff(found)) < np.count_nonzero(np.diff(frame_by_frame))


def test_padding_changes_nothing():
    model = head()
    rng = np.random.default_rng(0)
    short, long = (rng.normal(size=(n, 4)).astype("float32") for n in (9, 20))
    alone, _ = pad_sequences([short])
    together, _ = pad_sequences([short, long])
    together["features"][0, 9:] = 7.0
    a = ops.convert_to_numpy(model(alone))[0]
    b = ops.convert_to_numpy(model(together))[0]
    np.testing.assert_allclose(a, b[:, :9], atol=1e-5)
    assert not np.any(b[:, 9:])
    assert a.shape == (2, 9, 3)


def test_padding_and_unlabelled_frames_have_no_loss():
    model = head()
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(n, 4)).astype("float32") for n in (9, 20)]
    labels = [rng.integers(0, 3, len(x)) for x in features]
    inputs, numbers = pad_sequences(features, labels)
    logits = ops.convert_to_numpy(model(inputs))
    loss = float(model.compute_loss(inputs, numbers, logits))
    logits[0, :, 9:] = rng.normal(size=logits[0, :, 9:].shape)
    assert float(model.compute_loss(inputs, numbers, logits)) == pytest.approx(loss)


def test_smoothing_by_hand():
    logits = np.log(np.array([[[0.5, 0.5], [0.9, 0.1], [0.9, 0.1]]], "float32"))
    change = np.mean(np.log([0.9 / 0.5, 0.1 / 0.5]) ** 2)
    assert float(truncated_smoothing(logits)) == pytest.approx(change / 2, abs=1e-5)
    first = np.array([[True, True, False]])
    assert float(truncated_smoothing(logits, first)) == pytest.approx(change, abs=1e-5)
    none = np.zeros((1, 3), bool)
    assert float(truncated_smoothing(logits, none)) == 0.0


def test_smoothing_is_capped():
    logits = np.array([[[0.0, 90.0], [90.0, 0.0]]], "float32")
    assert float(truncated_smoothing(logits)) == pytest.approx(16.0)


def test_smoothing_moves_the_later_frame_only():
    logits = tf.constant([[[0.0, 1.0], [1.0, 0.0]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = truncated_smoothing(logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert not np.any(gradient[0, 0])
    assert np.all(np.abs(gradient[0, 1]) > 0.1)


def test_survives_saving(tmp_path):
    model = head(dropout=0.25, smoothing=0.3)
    model.save(tmp_path / "head.keras")
    loaded = keras.models.load_model(tmp_path / "head.keras")
    assert loaded.get_config() == model.get_config()
    x = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
    np.testing.assert_array_equal(loaded.probabilities(x), model.probabilities(x))


def test_comes_back_from_its_preset(tmp_path):
    mean, variance = np.arange(4.0), np.arange(4.0) + 0.5
    model = head(dropout=0.25, feature_mean=mean, feature_variance=variance)
    model.save_to_preset(tmp_path / "head")
    loaded = MSTCN.from_preset(tmp_path / "head")
    assert loaded.get_config() == model.get_config()
    x = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
    np.testing.assert_array_equal(loaded.probabilities(x), model.probabilities(x))
    fresh = MSTCN.from_preset(tmp_path / "head", load_weights=False)
    assert not np.array_equal(fresh.probabilities(x), model.probabilities(x))
    with pytest.raises(ValueError, match="holds no MSTCN"):
        MSTCN.from_preset(tmp_path)
    with pytest.raises(ValueError, match="belong together"):
        head(feature_mean=mean)


def test_features_are_standardised_by_the_head_itself():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 4)).astype("float32")
    keras.utils.set_random_seed(0)
    plain = head()
    keras.utils.set_random_seed(0)
    mean, variance = np.array([1.0, -2, 3, 0]), np.array([4.0, 0.25, 1, 9])
    standardising = head(feature_mean=mean, feature_variance=variance)
    raw = (x * np.sqrt(variance) + mean).astype("float32")
    np.testing.assert_allclose(
        standardising.probabilities(raw), plain.probabilities(x), atol=1e-5
    )


def test_from_features_and_names_to_labelled_frames():
    rng = np.random.default_rng(0)
    features, labels = toy_sequences(24, rng)
    classes = ["pour", "stir", "wait"]
    names = [[classes[i] for i in row] for row in labels]
    # Names that are no class have no loss; features are of any size and place.
    names[0][:5] = ["unknown"] * 5
    features = [100 + 50 * x for x in features]
    keras.utils.set_random_seed(0)
    sizes = {"num_stages": 2, "num_layers": 4, "num_filters": 16}
    recipe = {"epochs": 12, "batch_size": 8, "learning_rate": 1e-2}
    model = train_mstcn(features, names, classes, **recipe, **sizes)
    found = np.concatenate([model.label(x) for x in features])
    assert (found == np.concatenate(labels)).mean() > 0.9
    # A label that is missing at the end of a video costs its last frame.
    fewer = [names[0], names[1][:-1]]
    train_mstcn(features[:2], fewer, classes, epochs=1, **sizes)
    with pytest.raises(ValueError, match=r"`labels\[1\]` has 3 names"):
        train_mstcn(features[:2], [names[0], names[1][:3]], classes)
    with pytest.raises(ValueError, match="empty"):
        train_mstcn([], [], classes)


@pytest.fixture
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def test_trains_under_mixed_precision_and_ends_in_float32(mixed_precision):
    keras.utils.set_random_seed(0)
    features, labels = toy_sequences(4, np.random.default_rng(0))
    model = head()
    assert model.output.dtype == "float32"
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    fitted = model.fit(*pad_sequences(features, labels), epochs=3, verbose=0)
    losses = fitted.history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
