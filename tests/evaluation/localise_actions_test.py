import numpy as np
import pytest
from media_files import write_ramp
from reader_results import write

from keras_avrep.data import read_ava, read_ava_boxes, read_ava_detections
from keras_avrep.evaluation import frame_mean_average_precision, localise_actions

CLASSES = [3, 12]
CLIP = {"num_frames": 6, "stride": 1, "size": 24, "num_slots": 4}
# video, second, x1, y1, x2, y2, action, person; the picture is wider than high.
ROWS = [
    "a,0010.5,0.2,0.1,0.5,0.9,12,0",
    "a,0010.5,0.2,0.1,0.5,0.9,3,0",
    "a,0010.5,0.6,0.1,0.9,0.9,3,1",
    "a,0011,0.4,0.1,0.6,0.9,12,0",
]
# The left sides of the first key frame in the centre square.
LEFT = [0.5 + (x - 0.5) * 4 / 3 for x in (0.2, 0.6)]


class Knowing:
    """Probabilities that follow from a box's left side and the middle frame."""

    scores = property(lambda self: self)

    def predict_on_batch(self, inputs):
        self.seen = inputs
        left = inputs["boxes"][..., 1]
        gray = inputs["video"][:, CLIP["num_frames"] // 2].mean() / 255
        return np.stack([left, np.full_like(left, gray)], axis=-1)


@pytest.fixture
def files(tmp_path):
    write_ramp(tmp_path / "videos" / "a_000010_000012.mp4", fps=12, count=24)
    write(tmp_path / "val.csv", "\n".join(ROWS))
    manifest = read_ava(
        tmp_path / "videos", tmp_path / "val.csv", "val", valid_seconds=None
    )
    return tmp_path, manifest


def test_true_boxes_are_scored_once_with_every_class(files):
    folder, manifest = files
    found = localise_actions(Knowing(), manifest, CLASSES, **CLIP)
    assert set(found) == {("a", 10.5), ("a", 11.0)}
    entry = found["a", 10.5]
    assert entry["labels"].tolist() == [3, 12, 3, 12]
    np.testing.assert_allclose(entry["boxes"][::2, 1], [0.2, 0.6])
    np.testing.assert_allclose(entry["scores"][::2], LEFT, atol=1e-6)
    # The ramp's gray tells the second: that of the key frame, half a second in.
    assert entry["scores"][1] * 255 == pytest.approx(60, abs=8)
    truth = read_ava_boxes(folder / "val.csv", valid_seconds=None).frames
    result = frame_mean_average_precision(found, truth, CLASSES)
    # Right, wrong, right by falling score.
    assert result["average_precision"][3] == pytest.approx(5 / 6)


def test_detected_people_bring_their_scores_and_weak_ones_are_left_out(files):
    folder, manifest = files
    rows = ["a,0010.5,0.2,0.1,0.5,0.9,,0.9", "a,0010.5,0.6,0.1,0.9,0.9,,0.5"]
    rows += ["b,0010.5,0.6,0.1,0.9,0.9,,0.9"]
    write(folder / "people.csv", "\n".join(rows))
    people = read_ava_detections(folder / "people.csv", valid_seconds=None).frames
    found = localise_actions(Knowing(), manifest, CLASSES, people, **CLIP)
    assert set(found) == {("a", 10.5)}
    assert found["a", 10.5]["scores"][0] == pytest.approx(0.9 * LEFT[0], abs=1e-6)
    assert len(found["a", 10.5]["scores"]) == 2
    more = localise_actions(
        Knowing(), manifest, CLASSES, people, least_score=0.2, **CLIP
    )
    np.testing.assert_allclose(
        more["a", 10.5]["scores"][::2], [0.9 * LEFT[0], 0.5 * LEFT[1]], atol=1e-6
    )


def test_more_people_than_slots_keep_the_surest(files):
    _, manifest = files
    boxes = [[0.1, x, 0.9, x + 0.1] for x in (0.15, 0.2, 0.3, 0.4, 0.5, 0.6)]
    people = {("a", 11.0): {"boxes": boxes, "scores": [0.81, 0.9, 1, 0.85, 0.95, 0.99]}}
    found = localise_actions(Knowing(), manifest, CLASSES, people, **CLIP)["a", 11.0]
    np.testing.assert_allclose(found["boxes"][::2, 1], [0.3, 0.6, 0.5, 0.2])


def test_a_video_that_cannot_be_read_is_told(files):
    folder, manifest = files
    (folder / "videos" / "a_000010_000012.mp4").write_bytes(b"no video")
    told = []
    found = localise_actions(
        Knowing(),
        manifest,
        CLASSES,
        on_reject=lambda record, reason: told.append((record.video_id, reason)),
        **CLIP,
    )
    assert found == {}
    assert [name for name, _ in told] == ["a_000010_000012.mp4"] * 2
