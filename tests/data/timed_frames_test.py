from fractions import Fraction

import numpy as np
import pytest
from media_files import write_ramp
from sound_files import clicks, write_frames_at

from keras_avrep.data import MediaError, read_frames, stream_timed_frames


def read(path, **kwargs):
    times, images = zip(*stream_timed_frames(path, **kwargs), strict=True)
    return list(times), np.stack(images)


def test_frames_have_their_own_times_and_size(tmp_path):
    path = write_frames_at(
        tmp_path / "a.mp4", [0, 3, 10, 40], 2, sound=clicks([], 1, 16000)
    )
    times, images = read(path)
    assert times == [Fraction(n, 100) for n in (0, 3, 10, 40)]
    assert images.shape == (4, 32, 32, 3)
    assert images.mean(axis=(1, 2, 3)).argmax() == 2


def test_every_gives_what_is_shown_at_that_time(tmp_path):
    path = write_ramp(tmp_path / "a.mp4", fps=10)
    times, images = read(path, size=16, every=0.35)
    assert times == [n * Fraction(7, 20) for n in range(7)]
    assert images.shape == (7, 16, 16, 3)
    shown = read_frames(path, [float(t) for t in times], 16)
    np.testing.assert_allclose(
        images.mean(axis=(1, 2, 3)),
        shown.mean(axis=(1, 2, 3)),
        atol=3,  # of the fast scaler
    )


def test_a_square_holds_the_whole_picture(tmp_path):
    from keras_avrep.data import write_video

    frames = np.zeros((3, 32, 128, 3), np.uint8)
    frames[:, :, :32] = 255
    write_video(tmp_path / "wide.mp4", frames, 10)
    _, images = read(tmp_path / "wide.mp4", size=32)
    assert images[0, :, :7].min() > 200 and images[0, :, 9:].max() < 50


def test_a_picture_keeps_its_proportion_if_asked(tmp_path):
    from keras_avrep.data import write_video

    for width, height in ((160, 90), (90, 160), (90, 90), (100, 90)):
        path = tmp_path / f"{width}x{height}.mp4"
        write_video(path, np.zeros((2, height, width, 3), np.uint8), 10)
        image = next(stream_timed_frames(path, size=32, square=False))[1]
        expected = {160: 64, 100: 32, 90: 32}
        assert image.shape == (expected[height], expected[width], 3)


def test_bad_arguments_and_files_are_told(tmp_path):
    with pytest.raises(ValueError, match="every"):
        next(stream_timed_frames(write_ramp(tmp_path / "a.mp4"), every=0))
    with pytest.raises(MediaError, match="no such file"):
        next(stream_timed_frames(tmp_path / "b.mp4"))


def test_a_step_too_small_to_count_is_refused(tmp_path):
    path = write_ramp(tmp_path / "a.mp4", fps=10, count=3)
    with pytest.raises(ValueError, match="`every` is 4e-07"):
        next(iter(stream_timed_frames(path, every=4e-7)))
