"""Which frame the static input of a clip repeats."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.layers import StaticDynamicDecoupler

CLIPS, FRAMES = 6, 5


def draw_clips():
    rng = np.random.default_rng(0)
    return rng.normal(size=(CLIPS, FRAMES, 2, 3, 3)).astype("float32")


def frozen(layer, clips, training=True):
    """The one frame that the static input repeats for each clip."""
    static = ops.convert_to_numpy(layer(clips, training=training)["static"])
    assert static.shape == clips.shape
    for frame in range(1, FRAMES):
        np.testing.assert_array_equal(static[:, frame], static[:, 0])
    return static[:, 0]


def chosen(layer, clips):
    """Number of the frame of its own clip that each static input is."""
    apart = np.abs(clips - frozen(layer, clips)[:, None]).max(axis=(2, 3, 4))
    # One frame of each clip, and no other, is what was frozen.
    assert ((apart < 1e-6).sum(axis=1) == 1).all()
    return apart.argmin(axis=1)


@pytest.mark.parametrize("index", range(FRAMES))
@pytest.mark.parametrize("training", [True, False])
def test_the_frame_that_was_asked_for_is_frozen(index, training):
    clips = draw_clips()
    found = frozen(StaticDynamicDecoupler(frame_index=index), clips, training)
    np.testing.assert_allclose(found, clips[:, index], rtol=1e-6)


def test_random_frames_are_real_ones_and_change_from_call_to_call():
    clips = draw_clips()
    layer = StaticDynamicDecoupler(frame_index="random", seed=1)
    draws = np.array([chosen(layer, clips) for _ in range(20)])
    # All frames come up, and each clip has a draw of its own.
    assert set(draws.ravel()) == set(range(FRAMES))
    assert (np.ptp(draws, axis=0) > 0).all()
    assert (np.ptp(draws, axis=1) > 0).any()
    assert len(np.unique(draws, axis=0)) > 10


def test_a_seed_gives_the_same_frames_again():
    clips = draw_clips()
    first, again, other = (
        [chosen(layer, clips).tolist() for _ in range(4)]
        for layer in (
            StaticDynamicDecoupler(frame_index="random", seed=seed)
            for seed in (1, 1, 2)
        )
    )
    assert first == again
    assert first != other


def test_random_frames_are_the_middle_one_at_inference():
    clips = draw_clips()
    layer = StaticDynamicDecoupler(frame_index="random", seed=1)
    for _ in range(3):
        found = frozen(layer, clips, training=False)
        np.testing.assert_allclose(found, clips[:, FRAMES // 2], rtol=1e-6)


@pytest.mark.parametrize("index", ["first", 1.0, None, -1, True])
def test_other_frames_are_refused(index):
    with pytest.raises(ValueError, match="frame_index"):
        StaticDynamicDecoupler(frame_index=index)


def test_a_frame_that_the_clip_has_not_is_refused():
    layer = StaticDynamicDecoupler(frame_index=FRAMES)
    with pytest.raises(ValueError, match=f"`frame_index` is {FRAMES}"):
        layer(draw_clips())


def test_neighbours_are_told_apart_in_half_precision():
    clips = np.full((1, 3, 1, 1, 1), 2.0, "float32")
    clips[:, 1] += 0.004  # half a step of bfloat16
    keras.config.set_dtype_policy("mixed_bfloat16")
    found = StaticDynamicDecoupler()(clips)["dynamic"]
    found = ops.convert_to_numpy(found).ravel()
    np.testing.assert_allclose(found, [0.0, 0.004, -0.004], atol=1e-5)


@pytest.mark.parametrize("wrap", ["roll", "zero", "repeat"])
def test_one_frame_does_not_move(wrap):
    clips = draw_clips()[:, :1]
    found = ops.convert_to_numpy(StaticDynamicDecoupler(wrap)(clips)["dynamic"])
    np.testing.assert_array_equal(found, np.zeros_like(clips))


def test_whole_numbers_do_not_wrap_around():
    frames = np.array([10, 5, 200], "uint8").reshape(1, 3, 1, 1, 1)
    found = StaticDynamicDecoupler().difference(ops.convert_to_tensor(frames))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found).ravel(), [-190.0, -5.0, 195.0]
    )
