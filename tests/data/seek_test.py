"""A clip late in a long file costs the frames around it, not those before it."""

import av
import av.logging
import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import read_frames

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
