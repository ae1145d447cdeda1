from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import ramp, write_ramp

from keras_avrep.data import (
    MediaError,
    probe,
    read_frames,
    stream_frames,
    write_video,
)

FORMATS = [
    ("a.mp4", "libx264", True),
    ("b.mkv", "libx265", False),
    ("c.webm", "libvpx-vp9", True),
    ("d.avi", "mpeg4", False),
    ("e.gif", "gif", False),
    ("f.mov", "libx264", True),
    ("g.mkv", "mpeg4", False),
]


@pytest.mark.parametrize("name,codec,sound", FORMATS)
def test_every_format_is_probed_and_read_at_the_right_times(
    tmp_path, name, codec, sound
):
    audio = np.zeros(32000, np.float32) if sound else None
    path = write_ramp(tmp_path / name, codec=codec, audio=audio)
    info = probe(path)
    assert (info.width, info.height, info.has_audio) == (64, 48, sound)
    assert info.duration == pytest.approx(2.0, abs=0.1)
    assert info.num_frames == 24
    frames = read_frames(path, [0.0, 0.5, 1.5, 99.0], 32)
    assert frames.shape == (4, 32, 32, 3)
    shown = frames[:, 16, 16].mean(axis=-1)
    # GIF counts in hundredths of a second, a frame here or there.
    np.testing.assert_allclose(shown, [0, 60, 180, 230], atol=14)


@pytest.mark.parametrize("height,width", [(49, 65), (31, 90), (97, 33)])
def test_odd_sizes_are_read(tmp_path, height, width):
    path = write_ramp(tmp_path / "odd.mp4", height=height, width=width)
    assert (probe(path).height, probe(path).width) == (height, width)
    assert read_frames(path, [0.1], 24).shape == (1, 24, 24, 3)


def test_one_frame_is_a_video(tmp_path):
    path = write_ramp(tmp_path / "one.mp4", count=1)
    assert probe(path).num_frames == 1
    frames = read_frames(path, [0.0, 0.5], 16)
    np.testing.assert_array_equal(frames[0], frames[1])


def test_seeking_gives_the_frames_that_decoding_from_the_start_gives(tmp_path):
    path = write_ramp(tmp_path / "long.mp4", count=25, keyframe_interval=5)
    whole = read_frames(path, np.arange(25) / 12, 32)
    for index in (3, 5, 11, 24):
        part = read_frames(path, [index / 12], 32)
        np.testing.assert_array_equal(part[0], whole[index])


def test_far_apart_times_are_jumped_to(tmp_path):
    path = write_ramp(tmp_path / "long.mp4", count=25, fps=2, keyframe_interval=5)
    whole = read_frames(path, np.arange(25) / 2, 32)
    some = [0.5, 1.0, 6.5, 12.0, 12.0]
    np.testing.assert_array_equal(
        read_frames(path, some, 32), whole[[1, 2, 13, 24, 24]]
    )


def test_variable_frame_rate_goes_by_timestamps(tmp_path):
    path = tmp_path / "vfr.mp4"
    times = [0, 1, 2, 10, 11, 30]  # tenths of a second
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for time, image in zip(times, ramp(6, step=40), strict=True):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    shown = read_frames(path, [0.05, 0.5, 1.05, 2.9, 3.0], 16)[:, 8, 8].mean(axis=-1)
    np.testing.assert_allclose(shown, [0, 80, 120, 160, 200], atol=6)


def test_rotation_metadata_turns_the_picture(tmp_path):
    plain, turned = tmp_path / "plain.mp4", tmp_path / "turned.mp4"
    frames = np.zeros((8, 48, 64, 3), np.uint8)
    frames[:, :, :32] = 255  # left half white
    write_video(plain, frames, 12)
    _set_rotation(plain, turned)
    info = probe(turned)
    assert (info.width, info.height) == (48, 64)
    picture = read_frames(turned, [0.0], 32)[0]
    # The matrix says 90 degrees clockwise: left becomes up.
    assert picture[4].mean() > 200
    assert picture[-4].mean() < 50
    whole = read_frames(turned, [0.0], 24, square=False)[0]
    assert whole.shape == (32, 24, 3)
    assert whole[4].mean() > 200 and whole[-4].mean() < 50


def _set_rotation(source, target):
    """Write the display matrix of a phone held upright into the track header."""
    data = bytearray(source.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    matrix = [0, 65536, 0, -65536, 0, 0, 48 * 65536, 0, 1 << 30]
    for position, value in enumerate(matrix):
        place = start + 4 * position
        data[place : place + 4] = (value % 2**32).to_bytes(4, "big")
    target.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "missing", "sound"])
def test_bad_files_are_errors_that_name_the_file(tmp_path, damage):
    path = tmp_path / "bad.mp4"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a video at all\n" * 50)
    elif damage == "truncated":
        good = write_ramp(tmp_path / "good.mp4").read_bytes()
        path.write_bytes(good[: len(good) // 2])
    elif damage == "sound":
        _write_sound(path)
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        probe(path)
    with pytest.raises(MediaError, match=r"bad\.mp4"):
        read_frames(path, [0.0], 16)


def _write_sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        samples = np.zeros((1, 4096), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_damaged_tail_keeps_the_good_start(tmp_path):
    good = write_ramp(tmp_path / "good.avi", codec="mpeg4", count=24).read_bytes()
    bad = tmp_path / "tail.avi"
    bad.write_bytes(good[: int(len(good) * 0.7)])
    assert read_frames(bad, [0.0], 16).shape == (1, 16, 16, 3)


def test_streaming_is_even_and_upright(tmp_path):
    path = write_ramp(tmp_path / "a.mp4", count=24)
    frames = list(stream_frames(path, size=24))
    assert len(frames) == 24
    assert frames[0].shape == (24, 32, 3)
    np.testing.assert_allclose([f.mean() for f in frames], np.arange(24) * 10, atol=4)


def test_writing_nothing_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="frames"):
        write_video(tmp_path / "none.mp4", [], 12)
    assert list(tmp_path.iterdir()) == []
