"""What is left of clips without motion, or without its order."""

import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import scan_folder
from keras_avrep.evaluation import embed_videos
from keras_avrep.evaluation.embed import apply_control

COUNT, FRAMES = 4, 16


@pytest.fixture
def clips():
    """Every frame of every clip has a gray value of its own."""
    values = np.arange(COUNT * FRAMES, dtype="uint8").reshape(COUNT, FRAMES, 1, 1, 1)
    return np.broadcast_to(values, (COUNT, FRAMES, 2, 2, 3)).copy()


def test_a_single_frame_is_one_of_the_clip_held(clips):
    held = apply_control(clips, "single_frame")
    assert held.shape == clips.shape and held.dtype == clips.dtype
    for clip, before in zip(held, clips, strict=True):
        np.testing.assert_array_equal(clip, np.repeat(clip[:1], FRAMES, axis=0))
        np.testing.assert_array_equal(clip[0], before[FRAMES // 2])


def orders(clips):
    """Where the frames of each clip were before; every frame is still whole."""
    values = clips[:, :, :1, :1, :1]
    np.testing.assert_array_equal(clips, np.broadcast_to(values, clips.shape))
    return values[:, :, 0, 0, 0] - FRAMES * np.arange(COUNT)[:, None]


def test_shuffled_clips_have_the_same_frames_in_orders_of_their_own(clips):
    before = clips.copy()
    shuffled = apply_control(clips, "shuffled", seed=3)
    np.testing.assert_array_equal(clips, before)
    found = orders(shuffled)
    for order in found:
        assert sorted(order) == list(range(FRAMES))
        assert list(order) != list(range(FRAMES))
    assert len({tuple(order) for order in found}) == COUNT
    np.testing.assert_array_equal(apply_control(clips, "shuffled", seed=3), shuffled)
    assert not np.array_equal(apply_control(clips, "shuffled", seed=4), shuffled)


def test_without_a_control_clips_are_as_they_were(clips):
    assert apply_control(clips, None) is clips


class Pixels:
    """The gray values of a clip in order, whatever else is in the picture."""

    def predict_on_batch(self, clips):
        return clips[:, :, 0, 0, 0]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alike")
    for name in ("a.mp4", "b.mp4"):
        write_ramp(folder / name, height=16, width=16)
    return scan_folder(folder).records


def embed(records, **options):
    sizes = {"num_clips": 1, "num_frames": FRAMES, "stride": 1, "size": 8}
    return embed_videos(Pixels(), records, **sizes, **options).values


def test_videos_are_embedded_under_a_control(records):
    first, second = embed(records)
    np.testing.assert_array_equal(first, second)
    held = embed(records, control="single_frame")
    np.testing.assert_array_equal(held, np.full_like(held, first[FRAMES // 2]))
    shuffled = embed(records, control="shuffled", seed=1)
    np.testing.assert_array_equal(np.sort(shuffled), np.sort([first, second]))
    assert len({tuple(row) for row in (first, *shuffled)}) == 3
    again = embed(records, control="shuffled", seed=1)
    np.testing.assert_array_equal(again, shuffled)
    assert not np.array_equal(embed(records, control="shuffled", seed=7), shuffled)


def test_an_unknown_control_is_named(records):
    with pytest.raises(ValueError, match=r"'reversed'.*single_frame.*shuffled"):
        embed(records, control="reversed")
