import keras
import numpy as np
import pytest
import stand_in_localiser
from sound_files import clicks, write_frames_at

from keras_avrep.data import read_waveform, write_video
from keras_avrep.evaluation import localize_video
from keras_avrep.evaluation.localize_video import (
    CHUNK_FRAMES,
    _sound_around,
    predict_maps,
)

SIZE = 32


@pytest.fixture(scope="module")
def model():
    return stand_in_localiser.build(SIZE)


def write_two_colours(path, seconds=3, fps=10, **sound):
    """Red on the left, blue on the right, of twice the width."""
    frames = np.zeros((seconds * fps, 48, 96, 3), np.uint8)
    frames[:, :, :32, 0] = 255
    frames[:, :, 64:, 2] = 255
    write_video(path, frames, fps, **sound)
    return path


def test_maps_of_every_frame_and_the_sound_around_it(model, tmp_path):
    path = tmp_path / "a.mp4"
    write_two_colours(path, audio=clicks([2.15], 3, 16000), sample_rate=16000)
    maps = localize_video(model, path, SIZE, batch_size=7)
    np.testing.assert_allclose(maps.times, np.arange(30) / 10, atol=1e-9)
    assert maps.class_maps.shape == (30, 8, 8, 3)
    assert maps.has_audio
    assert (maps.class_maps[0, 3, [0, 7]].argmax(-1) == [0, 2]).all()
    # The click is within half a second of these frames, or in the last second.
    heard = maps.sounding_maps.max(axis=(1, 2)) > 0.5
    assert np.flatnonzero(heard).tolist() == list(range(17, 30))


def test_what_a_model_hears_comes_with_its_maps(model, tmp_path):
    path = tmp_path / "a.mp4"
    write_two_colours(path, seconds=1, audio=clicks([0.5], 1, 16000))
    silent = localize_video(model, path, SIZE)
    assert silent.audible_scores is None and silent.audio_distribution is None
    hearing = stand_in_localiser.build(SIZE, with_scores=True)
    maps = localize_video(hearing, path, SIZE, batch_size=3)
    assert maps.audible_scores.shape == maps.audio_distribution.shape == (10, 3)
    np.testing.assert_allclose(maps.audio_distribution.sum(-1), 1, atol=1e-5)
    # Red and blue are there; the stand-in hears what it sees.
    assert (maps.audible_scores > 0.6).tolist() == [[True, False, True]] * 10


def test_chunks_and_batches_do_not_matter(model, tmp_path):
    sound = clicks([0.4, 1.9], 3, 16000)
    path = write_two_colours(tmp_path / "a.mp4", fps=60, audio=sound)
    whole = localize_video(model, path, SIZE)
    assert len(whole.times) > CHUNK_FRAMES
    parts = localize_video(model, path, SIZE, batch_size=5)
    np.testing.assert_array_equal(whole.times, parts.times)
    np.testing.assert_allclose(whole.class_maps, parts.class_maps, atol=1e-6)
    np.testing.assert_allclose(whole.sounding_maps, parts.sounding_maps, atol=1e-5)
    sparse = localize_video(model, path, SIZE, every=1.5)
    np.testing.assert_allclose(sparse.times, [0, 1.5])
    np.testing.assert_allclose(
        sparse.sounding_maps, whole.sounding_maps[[0, 90]], atol=1e-3
    )


def test_sound_is_the_same_however_it_is_read(tmp_path):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * 44100)
    path = write_two_colours(
        tmp_path / "a.mov", audio=sound, sample_rate=44100, audio_codec="pcm_s16le"
    )
    for times in (np.arange(0, 3, 0.3), np.array([0.2, 2.9])):
        read, has_audio = _sound_around(path, times, 1.0, 16000, 3.0)
        apart, _ = read_waveform(path, np.clip(times - 0.5, 0, 2), 1.0, 16000)
        assert has_audio and read.shape == (len(times), 16000)
        np.testing.assert_allclose(read, apart, atol=1e-5)


def test_a_short_video_is_heard_as_a_whole(model, tmp_path):
    path = tmp_path / "a.mp4"
    sound = clicks([0.9], 1, 16000)
    write_two_colours(path, seconds=1, audio=sound, sample_rate=16000)
    maps = localize_video(model, path, SIZE)
    assert (maps.sounding_maps.max(axis=(1, 2)) > 0.5).all()


def test_without_sound_it_is_said(model, tmp_path):
    maps = localize_video(model, write_two_colours(tmp_path / "a.mp4"), SIZE)
    assert not maps.has_audio
    assert maps.sounding_maps.max() < 0.01


def test_times_of_variable_rate_are_kept(model, tmp_path):
    ticks = [0, 10, 15, 90, 170]
    path = write_frames_at(tmp_path / "a.mp4", ticks, 1, sound=clicks([1.0], 2, 16000))
    maps = localize_video(model, path, SIZE)
    np.testing.assert_allclose(maps.times, np.array(ticks) / 100, atol=1e-6)


def test_other_models_are_refused(model, tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="does not say where it sounds"):
        localize_video(other, tmp_path / "a.mp4")


def test_a_part_of_a_batch_is_answered_alike(model):
    rng = np.random.default_rng(0)
    inputs = {
        "frame": rng.uniform(0, 255, (3, SIZE, SIZE, 3)),
        "waveform": rng.uniform(-1, 1, (3, 16000)),
    }
    few, many = predict_maps(model, inputs, 3), predict_maps(model, inputs, 8)
    assert set(few) == {"class_maps", "sounding_map"}
    np.testing.assert_allclose(few["class_maps"], many["class_maps"], atol=1e-6)
