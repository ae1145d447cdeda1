"""Features of more videos than one part, interrupted and gone on with."""

import os
from pathlib import Path

import numpy as np
import pytest

from keras_avrep.cli.embed import CHUNK, embed_in_parts, write_npz
from keras_avrep.data import scan_folder, write_video

COUNT = CHUNK + 6
OPTIONS = {"num_clips": 1, "num_frames": 2, "stride": 1, "size": 8, "workers": 1}
BROKEN = 3


class Brightness:
    """Mean colour of a clip times a weight; Ctrl-C comes after some clips."""

    def __init__(self, weight=1.0, stop_after=COUNT):
        self.weight = np.float32(weight)
        self.stop_after = stop_after
        self.clips = 0

    @property
    def representation(self):
        return self

    def get_weights(self):
        return [self.weight]

    def predict_on_batch(self, clips):
        if self.clips + len(clips) > self.stop_after:
            raise KeyboardInterrupt
        self.clips += len(clips)
        return self.weight * clips.mean(axis=(1, 2, 3))


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Each as bright as its number says; one cannot be decoded any more."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(COUNT):
        path = folder / ("odd" if number % 2 else "even") / f"{number:03d}.mp4"
        path.parent.mkdir(exist_ok=True)
        write_video(path, np.full((2, 16, 16, 3), 3 * number, "uint8"), 12)
    found = sorted(scan_folder(folder).records, key=lambda r: Path(r.path).name)
    Path(found[BROKEN].path).write_text("no video any more")
    return found


def embed(model, records, out, write=lambda out, rows: None, **options):
    options = {**OPTIONS, **options}
    return embed_in_parts(model, records, out, options, lambda text: None, write)


@pytest.fixture(scope="module")
def whole(records, tmp_path_factory):
    return embed(Brightness(), records, tmp_path_factory.mktemp("whole") / "f.npz")


@pytest.fixture
def interrupted(records, tmp_path):
    """The file asked for, of which the first part is there."""
    out = tmp_path / "f.npz"
    first = Brightness(stop_after=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        embed(first, records, out)
    assert first.clips == CHUNK - 1
    assert not out.exists()
    return out


def check_equal(found, expected):
    (rows, rejects), (expected_rows, expected_rejects) = found, expected
    assert rejects == expected_rejects
    assert rows.keys() == expected_rows.keys()
    for name, values in expected_rows.items():
        np.testing.assert_array_equal(rows[name], values)


def test_every_video_has_its_feature_and_label(records, whole):
    rows, rejects = whole
    assert [reject["path"] for reject in rejects] == [records[BROKEN].video_id]
    left = [r for r in records if r is not records[BROKEN]]
    assert rows["path"] == [r.video_id for r in left]
    assert rows["label_class"] == [r.labels["class"] for r in left]
    brightness = 3 * np.delete(np.arange(COUNT), BROKEN)
    np.testing.assert_allclose(rows["feature"].mean(axis=1), brightness, atol=3)


def test_going_on_computes_what_is_missing(records, whole, interrupted):
    second = Brightness()
    check_equal(embed(second, records, interrupted), whole)
    assert second.clips == COUNT - CHUNK
    # The parts are gone, so that another call begins at the start.
    assert list(interrupted.parent.iterdir()) == []


def test_parts_of_another_model_are_not_reused(records, whole, interrupted):
    other = Brightness(weight=2)
    rows, _ = embed(other, records, interrupted)
    assert other.clips == COUNT - 1
    np.testing.assert_array_equal(rows["feature"], 2 * whole[0]["feature"])


def test_parts_of_other_clips_are_not_reused(records, interrupted):
    other = Brightness(stop_after=2 * COUNT)
    embed(other, records, interrupted, num_clips=2)
    assert other.clips == 2 * (COUNT - 1)


def test_parts_of_other_videos_are_not_reused(records, interrupted):
    other = Brightness()
    rows, _ = embed(other, records[::-1], interrupted)
    assert other.clips == COUNT - 1
    expected = [r.video_id for r in records[::-1] if r is not records[BROKEN]]
    assert rows["path"] == expected


def test_half_a_part_is_not_taken_for_one(records, whole, tmp_path):
    out = tmp_path / "f.npz"
    with pytest.raises(KeyboardInterrupt):
        embed(Brightness(stop_after=CHUNK // 2), records, out)
    second = Brightness()
    check_equal(embed(second, records, out), whole)
    assert second.clips == COUNT - 1


def test_parts_of_other_files_of_the_same_names_are_not_reused(records, interrupted):
    changed = Path(records[0].path)
    status = changed.stat()
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    other = Brightness()
    embed(other, records, interrupted)
    assert other.clips == COUNT - 1


def test_parts_outlive_a_file_that_cannot_be_written(records, tmp_path):
    out = tmp_path / "f.npz"
    out.mkdir()
    with pytest.raises(OSError):
        embed(Brightness(), records, out, write_npz)
    out.rmdir()
    again = Brightness()
    rows, _ = embed(again, records, out, write_npz)
    assert again.clips == 0
    with np.load(out) as content:
        np.testing.assert_array_equal(content["feature"], rows["feature"])
    assert [p.name for p in tmp_path.iterdir()] == ["f.npz"]
