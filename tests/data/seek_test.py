"""A clip late in a long file is right, and costs the frames around it only."""

from fractions import Fraction

import av
import av.logging
import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import media, read_frames

COUNT, FPS, KEYS = 240, 12, 12
# The first frame, when the file is opened, and those that follow out of order.
EXTRA = 6


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    shape = {"count": COUNT, "height": 32, "width": 32}
    return write_ramp(path, fps=FPS, keyframe_interval=KEYS, **shape)


def read_and_count(path, indices):
    """Frames, and how many pictures FFmpeg's own log says it decoded for them."""
    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.DEBUG)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as lines:
            frames = read_frames(path, np.asarray(indices) / FPS, 16)
    finally:
        av.logging.set_skip_repeated(skips)
        av.logging.set_level(level)
    kinds = ("nal_unit_type: 1(", "nal_unit_type: 5(")
    return frames, sum(text.startswith(kinds) for _, _, text in lines)


@pytest.fixture(scope="module")
def whole(video):
    frames, decoded = read_and_count(video, range(COUNT))
    # The count is right where all frames are wanted.
    assert COUNT <= decoded <= COUNT + EXTRA
    return frames


@pytest.mark.parametrize("first", [60, 131, 226])
def test_a_clip_decodes_from_its_key_frame_to_its_last_frame(video, whole, first):
    wanted = range(first, first + 8)
    frames, decoded = read_and_count(video, wanted)
    np.testing.assert_array_equal(frames, whole[list(wanted)])
    assert len(wanted) <= decoded <= first % KEYS + len(wanted) + EXTRA


def test_frames_far_apart_do_not_decode_what_is_between(video, whole):
    wanted = [3, 4, 120, 121, 230]
    frames, decoded = read_and_count(video, wanted)
    np.testing.assert_array_equal(frames, whole[wanted])
    assert decoded <= sum(index % KEYS + 1 + EXTRA for index in (4, 121, 230))


def test_frames_before_the_key_frame_need_not_be_there(tmp_path, video, whole):
    path = tmp_path / "damaged.mp4"
    data = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        key = [packet for packet in packets if packet.is_keyframe][226 // KEYS]
        for packet in packets:
            if packet.pos < key.pos:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)
    frames = read_frames(path, np.arange(226, 234) / FPS, 16)
    np.testing.assert_array_equal(frames, whole[226:234])


# --- containers without an index ---


def bars(number, noise=False):
    """A frame whose eight bars are the binary digits of its number."""
    digits = (number >> np.arange(8) & 1) * 255
    image = np.repeat(digits, 8)[None, :, None].repeat(64, 0).repeat(3, 2)
    if noise:
        image[:40] = np.random.default_rng(number).integers(0, 256, (40, 64, 1))
    return image.astype(np.uint8)


def numbers(frames):
    return (frames[:, 12, 1::2].mean(axis=-1) > 127) @ (1 << np.arange(8))


def write_bars(path, codec, keys, ticks, b_frames=0, x264=""):
    """Numbered frames at 25ths of a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = keys
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.thread_count = 1
        stream.bit_rate = 2_000_000
        if codec == "libx264":
            stream.options = {"x264-params": f"keyint={keys}:scenecut=0{x264}"}
        for number, tick in enumerate(ticks):
            # More bytes than a packet of an .mpg file has: FFmpeg itself is unsure of
            # the times of several frames in one, wherever reading starts.
            frame = av.VideoFrame.from_ndarray(bars(number, path.suffix == ".mpg"))
            frame.pts, frame.time_base = int(tick), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def check_clips(path, ticks, starts, length=4):
    """Clips from frames on, at their own times and between them."""
    for start in starts:
        for later in (0, 0.7):
            times = (ticks[start : start + length] + later) / 25
            wanted = np.searchsorted(ticks, times * 25 + 0.01, side="right") - 1
            shown = numbers(read_frames(path, times, 16))
            np.testing.assert_array_equal(shown, wanted, err_msg=f"from {start}")


STARTS = [0, 1, 3, 11, 12, 13, 26, 47, 59, 60, 74, 99, 125, 146]


@pytest.mark.parametrize("keys", [1, 5, 12, 25, 100])
@pytest.mark.parametrize(
    "name,codec",
    [
        ("a.ts", "libx264"),
        ("a.mts", "mpeg2video"),
        ("a.m2ts", "libx264"),
        ("a.ts", "mpeg4"),
        ("a.mpg", "mpeg2video"),
        ("a.mpg", "mpeg1video"),
        ("a.mp4", "libx264"),
    ],
)
def test_clips_have_their_own_frames_in_every_container(tmp_path, name, codec, keys):
    ticks = np.arange(150)
    path = write_bars(tmp_path / name, codec, keys, ticks)
    check_clips(path, ticks, STARTS)


@pytest.mark.parametrize("name", ["a.ts", "a.mpg", "a.mp4"])
def test_frames_that_need_the_key_frame_before_last_are_right(tmp_path, name):
    # Those shown before a key frame but stored after it.
    codec = "mpeg2video" if name == "a.mpg" else "libx264"
    ticks = np.arange(150)
    path = write_bars(tmp_path / name, codec, 12, ticks, 2, ":open-gop=1")
    check_clips(path, ticks, range(0, 146, 5))


@pytest.mark.parametrize("keys", [5, 12, 100])
@pytest.mark.parametrize("name", ["a.ts", "a.mp4"])
def test_clips_of_uneven_frames_are_right(tmp_path, name, keys):
    gaps = np.random.default_rng(0).choice([1, 1, 1, 2, 3, 30], 149)
    ticks = np.concatenate([[0], np.cumsum(gaps)])
    path = write_bars(tmp_path / name, "libx264", keys, ticks, 3)
    check_clips(path, ticks, STARTS)


@pytest.mark.parametrize("name,codec", [("a.ts", "libx264"), ("a.mpg", "mpeg2video")])
def test_times_far_apart_are_right_without_an_index(tmp_path, name, codec):
    ticks = np.arange(250)
    path = write_bars(tmp_path / name, codec, 25, ticks)
    wanted = [13, 14, 60, 62, 149, 240, 249]
    times = [*(np.array(wanted) / 25), 99.0]
    np.testing.assert_array_equal(numbers(read_frames(path, times, 16)), [*wanted, 249])


def test_one_key_frame_long_ago_is_found(tmp_path):
    ticks = np.arange(0, 3000, 15)  # Two minutes.
    path = write_bars(tmp_path / "a.ts", "libx264", 250, ticks)
    wanted = [80, 81, 120, 190]
    np.testing.assert_array_equal(
        numbers(read_frames(path, ticks[wanted] / 25, 16)), wanted
    )


@pytest.fixture
def seeks(monkeypatch):
    """The times sought, and `None` for each time a file is opened."""
    found, seek, opened = [], media.seek_to, media.opened

    def noted(container, stream, seconds):
        found.append(seconds)
        seek(container, stream, seconds)

    def noted_opened(path):
        found.append(None)
        return opened(path)

    monkeypatch.setattr(media, "seek_to", noted)
    monkeypatch.setattr(media, "opened", noted_opened)
    return found


def test_a_seek_that_is_right_is_the_only_one(video, whole, seeks):
    wanted = [0, 1, 59, 60, 131, 239]
    frames = read_frames(video, np.array(wanted) / FPS, 16)
    np.testing.assert_array_equal(frames, whole[wanted])
    assert seeks == [None, *(pytest.approx(i / FPS) for i in (59, 131, 239))]


def test_what_is_before_the_first_frame_is_answered_by_it(tmp_path, seeks):
    # A recording that begins between two key frames.
    path = tmp_path / "late.ts"
    source = write_bars(tmp_path / "whole.ts", "libx264", 50, np.arange(150))
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(read.demux(video=0)):
            if number >= 10 and packet.dts is not None:
                packet.stream = stream
                written.mux(packet)
    # The times count from frame 10; frame 50 is the first that can be decoded.
    shown = numbers(read_frames(path, np.array([0, 20, 39, 40, 45, 110]) / 25, 16))
    np.testing.assert_array_equal(shown, [50, 50, 50, 50, 55, 120])
    assert seeks.count(None) == 1
    seeks.clear()
    shown = numbers(read_frames(path, np.array([20, 39, 42, 110]) / 25, 16))
    np.testing.assert_array_equal(shown, [50, 50, 52, 120])
    assert seeks.count(None) == 2 and len(seeks) <= 5
