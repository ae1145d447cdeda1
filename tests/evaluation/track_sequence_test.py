import keras
import numpy as np
import pytest
import tiny_const_cl as tiny
from PIL import Image

from keras_avrep.data import read_got10k, read_otb
from keras_avrep.evaluation import one_pass_evaluation, track_sequence
from keras_avrep.models import SiameseTracker, track

SIZES = {"exemplar_size": 32, "search_size": 64, "num_frames": 2}
BOXES = [(8, 6, 12, 10), (10, 7, 12, 10), (12, 8, 12, 10), (14, 9, 12, 10)]


@pytest.fixture(scope="module")
def tracker():
    keras.utils.set_random_seed(0)
    return SiameseTracker.for_backbone(tiny.build().region_backbone(), **SIZES)


def pictures():
    """A bright square that moves over noise."""
    noise = np.random.default_rng(0).integers(0, 60, (40, 56, 3))
    for left, top, width, height in BOXES:
        picture = noise.copy()
        picture[top : top + height, left : left + width] = (250, 200, 40)
        yield picture.astype("uint8")


def write_sequence(folder, annotation):
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures(), 1):
        # Lossless whatever its name: readers look for the suffixes of the sets.
        Image.fromarray(picture).save(folder / f"{number:08d}.jpg", "PNG")
    annotation.write_text("\n".join(",".join(map(str, box)) for box in BOXES))


def test_files_are_tracked_as_their_frames_are(tracker, tmp_path):
    write_sequence(tmp_path / "Box" / "img", tmp_path / "Box" / "groundtruth_rect.txt")
    read = read_otb(tmp_path)
    found = {s.name: track_sequence(tracker, s) for s in read.sequences}
    expected = track(tracker, np.stack(list(pictures())), BOXES[0])
    np.testing.assert_allclose(found["Box"], expected, atol=1e-6)
    assert 0 < one_pass_evaluation(found, read.boxes())["success"] <= 20 / 21


def test_a_frame_that_cannot_be_read_has_no_box(tracker, tmp_path):
    folder = tmp_path / "val" / "GOT-10k_Val_000001"
    write_sequence(folder, tmp_path / "groundtruth.txt")
    (tmp_path / "groundtruth.txt").rename(folder / "groundtruth.txt")
    (tmp_path / "val" / "list.txt").write_text("GOT-10k_Val_000001\n")
    (sequence,) = read_got10k(tmp_path, "val").sequences
    (folder / "00000003.jpg").write_text("no picture")
    bad = []
    boxes = track_sequence(
        tracker, sequence, on_reject=lambda path, reason: bad.append((path, reason))
    )
    assert np.isnan(boxes[2]).all()
    assert np.isfinite(boxes[[0, 1, 3]]).all()
    assert [path for path, _ in bad] == [sequence.frames[2]]
    assert "cannot be opened" in bad[0][1]
    scores = one_pass_evaluation({"s": boxes}, {"s": sequence.boxes})
    assert scores["precision"] <= 3 / 4
    (folder / "00000001.jpg").write_text("no picture")
    with pytest.raises(ValueError, match="no first frame"):
        track_sequence(tracker, sequence)
