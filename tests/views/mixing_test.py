import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_avrep.views import MixCurriculum, VolumeMixer


def sounds(batch, seed=0, samples=200):
    """Noise at levels from -40 to -8 dB."""
    rng = np.random.default_rng(seed)
    levels = 10 ** rng.uniform(-2, -0.4, (batch, 1))
    return (levels * rng.uniform(-1.5, 1.5, (batch, samples))).clip(-1, 1).astype("f4")


def mix(mixer, waveforms, **arguments):
    mixed = mixer(waveforms, **arguments)
    return {name: ops.convert_to_numpy(value) for name, value in mixed.items()}


def rms(x):
    return np.sqrt(np.mean(np.square(x.astype(float)), axis=-1))


def check_record(waveforms, mixed):
    """What is true of every mixture, whatever was drawn."""
    batch, n = mixed["sources"].shape
    present, scales = mixed["present"], mixed["scales"]
    again = np.einsum("bn,bns->bs", scales, waveforms[mixed["sources"]])
    np.testing.assert_allclose(mixed["mixture"], again, atol=1e-5)
    np.testing.assert_array_equal(mixed["sources"][:, 0], np.arange(batch))
    assert present[:, 0].all()
    assert (scales[present] > 0).all()
    assert not scales[~present].any()
    assert not mixed["gains_db"][~present].any()
    for row in range(batch):
        inside = mixed["sources"][row][present[row]]
        assert len(set(inside)) == len(inside) <= n
    alone = present.sum(axis=1) == 1
    np.testing.assert_array_equal(mixed["mixture"][alone], waveforms[alone])


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 6),
    n=st.integers(2, 4),
    law=st.sampled_from(["scale", "decibel"]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    limit=st.sampled_from([None, 0.5]),
    seed=st.integers(0, 10**6),
)
def test_the_record_tells_the_mixture(batch, n, law, share, limit, seed):
    waveforms = sounds(batch, seed)
    mixer = VolumeMixer(n, law, share=share, limit=limit, seed=seed)
    mixed = mix(mixer, waveforms)
    check_record(waveforms, mixed)
    counts = mixed["present"].sum(axis=1)
    if share == 0:
        assert (counts == 1).all()
    if share == 1:
        assert (counts >= min(2, batch)).all()
    if limit:
        together = counts > 1
        assert np.abs(mixed["mixture"][together]).max(initial=0) <= limit + 1e-5
        assert (mixed["peak_scale"] <= 1).all()


def test_csol_scales_by_a_half_to_one_and_a_half_over_the_count():
    waveforms = sounds(64)
    mixed = mix(VolumeMixer.csol(seed=0), waveforms)
    check_record(waveforms, mixed)
    assert mixed["present"].all()
    factors = 2 * mixed["scales"]
    assert factors.min() >= 0.5
    assert factors.max() <= 1.5
    assert factors.mean() == pytest.approx(1.0, abs=0.1)
    assert factors.std() == pytest.approx(1 / np.sqrt(12), abs=0.05)
    np.testing.assert_allclose(mixed["gains_db"], 20 * np.log10(factors), atol=1e-4)
    np.testing.assert_array_equal(mixed["peak_scale"], 1)


def test_ier_keeps_the_own_sound_and_puts_others_below_it():
    waveforms = sounds(64)
    mixed = mix(VolumeMixer.ier(seed=0), waveforms, range_db=10.0)
    check_record(waveforms, mixed)
    present, gains = mixed["present"], mixed["gains_db"]
    assert not gains[:, 0].any()
    others = gains[:, 1:][present[:, 1:]]
    assert others.min() >= -10
    assert others.max() <= 0
    assert others.mean() == pytest.approx(-5, abs=0.7)
    # Levels of the stems in the mixture are the drawn ones, whatever they were.
    levels = rms(mixed["scales"][..., None] * waveforms[mixed["sources"]])
    heard = 20 * np.log10(np.maximum(levels / levels[:, :1], 1e-9))
    np.testing.assert_allclose(heard[present], gains[present], atol=1e-3)
    assert np.abs(mixed["mixture"]).max() <= 0.99 + 1e-6
    # One number of sounds is as likely as another.
    shares = np.bincount(present.sum(axis=1), minlength=5)[2:] / 64
    np.testing.assert_allclose(shares, 1 / 3, atol=0.2)


def test_the_limit_takes_all_sounds_down_alike():
    waveforms = np.ones((4, 50), "float32") * 0.9
    mixed = mix(VolumeMixer.ier(seed=0), waveforms, range_db=0.0)
    counts = mixed["present"].sum(axis=1)
    np.testing.assert_allclose(mixed["peak_scale"], 0.99 / (0.9 * counts), rtol=1e-5)
    np.testing.assert_allclose(mixed["mixture"], 0.99, rtol=1e-5)


def test_silence_is_left_out_and_left_alone():
    waveforms = sounds(6)
    waveforms[2] = 0
    waveforms[4] *= 10 ** (-55 / 20) / rms(waveforms[4])
    for law in ("scale", "decibel"):
        mixed = mix(VolumeMixer(3, law, seed=1), waveforms)
        check_record(waveforms, mixed)
        assert mixed["heard"].tolist() == [i not in (2, 4) for i in range(6)]
        assert (mixed["present"][[2, 4]].sum(axis=1) == 1).all()
        inside = mixed["sources"][:, 1:][mixed["present"][:, 1:]]
        assert not set(inside) & {2, 4}
        assert (mixed["present"][[0, 1, 3, 5]].sum(axis=1) >= 2).all()


def test_sounds_of_one_class_do_not_meet():
    waveforms, classes = sounds(8), np.array([0, 0, 0, 1, 1, 2, 2, 2])
    for seed in range(5):
        mixed = mix(VolumeMixer.ier(seed=seed), waveforms, classes=classes)
        check_record(waveforms, mixed)
        for row in range(8):
            met = classes[mixed["sources"][row][mixed["present"][row]]]
            assert len(set(met)) == len(met)
    alone = mix(VolumeMixer.ier(seed=0), waveforms, classes=np.zeros(8, int))
    np.testing.assert_array_equal(alone["mixture"], waveforms)


def test_probabilities_decide_the_number_of_sounds():
    waveforms = sounds(200, samples=8)
    mixer = VolumeMixer.ier(seed=0)
    for probabilities in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.0]):
        mixed = mix(mixer, waveforms, source_probabilities=probabilities)
        counts = np.bincount(mixed["present"].sum(axis=1), minlength=5)[2:]
        np.testing.assert_allclose(counts / 200, probabilities, atol=0.12)
    with pytest.raises(ValueError, match="source_probabilities"):
        mixer(waveforms, source_probabilities=[0.5, 0.5])


def test_draws_follow_the_seed_and_go_on():
    waveforms = sounds(8)
    first, second = VolumeMixer.ier(seed=3), VolumeMixer.ier(seed=3)
    one, other = mix(first, waveforms), mix(second, waveforms)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert (mix(first, waveforms)["gains_db"] != one["gains_db"]).any()


@pytest.mark.parametrize(
    "batches,share,range_db,probabilities",
    [
        (0, 0.2, 0.0, [1, 0, 0]),
        (100, 0.2, 0.0, [1, 0, 0]),
        (480, 0.428, 5.7, [1, 0, 0]),
        (600, 0.5, 7.5, [1 / 2, 1 / 2, 0]),
        (799, 0.6194, 10.485, [1 / 2, 1 / 2, 0]),
        (801, 0.6206, 10.515, [1 / 3, 1 / 3, 1 / 3]),
        (1100, 0.8, 15.0, [1 / 3, 1 / 3, 1 / 3]),
        (10**9, 0.8, 15.0, [1 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_the_curriculum_is_that_of_the_note(batches, share, range_db, probabilities):
    curriculum = MixCurriculum(length=1000, begin=100)
    found = curriculum(keras.Variable(batches, dtype="int32", trainable=False))
    assert float(found["share"]) == pytest.approx(share, abs=1e-5)
    assert float(found["range_db"]) == pytest.approx(range_db, abs=1e-4)
    np.testing.assert_allclose(found["source_probabilities"], probabilities, atol=1e-6)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="of TensorFlow's compiler"
)
def test_mixing_by_the_curriculum_runs_under_xla():
    import tensorflow as tf

    waveforms = sounds(8)
    mixer, curriculum = VolumeMixer.ier(seed=0), MixCurriculum(length=10)

    @tf.function(jit_compile=True)
    def step(batches_seen):
        return mixer(waveforms, **curriculum(batches_seen))

    for batches in (0, 10):
        mixed = {name: x.numpy() for name, x in step(tf.constant(batches)).items()}
        check_record(waveforms, mixed)
        most = 2 if batches == 0 else 4
        assert mixed["present"].sum(axis=1).max() <= most
        assert mixed["gains_db"].min() >= (0 if batches == 0 else -15)


def test_config_and_errors():
    for layer in (VolumeMixer.ier(share=0.5, seed=1), MixCurriculum(7, begin=2)):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="law"):
        VolumeMixer(law="loud")
    with pytest.raises(ValueError, match="max_sources"):
        VolumeMixer(1)
    with pytest.raises(ValueError, match="length"):
        MixCurriculum(0)
