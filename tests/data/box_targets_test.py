import numpy as np
import pytest
import tiny_const_cl as tiny
from media_files import write_ramp
from reader_results import write

from keras_avrep.data import BatchFeed, box_targets, clip_dataset, clip_start, read_ava
from keras_avrep.losses import masked_binary_crossentropy
from keras_avrep.models import ActionLocaliser
from keras_avrep.views import KeyFrameClips

PERSON, OTHER = [0.1, 0.2, 0.9, 0.5], [0.3, 0.6, 0.8, 0.9]
FRAME = {"boxes": np.array([PERSON, PERSON, OTHER]), "labels": np.array([12, 80, 3])}


def test_boxes_of_one_person_become_one_with_several_classes():
    found = box_targets(FRAME, [3, 12, 80], num_slots=4)
    np.testing.assert_allclose(found["boxes"][:2], [PERSON, OTHER], atol=1e-6)
    assert not found["boxes"][2:].any()
    assert found["labels"].tolist() == [[0, 1, 1], [1, 0, 0], [-1] * 3, [-1] * 3]
    # The note's 32 slots; labels that are no class leave no box behind.
    found = box_targets(FRAME, [12])
    assert found["labels"].shape == (32, 1)
    assert found["labels"][:, 0].tolist() == [1] + [-1] * 31
    # More boxes than slots: the first are kept.
    assert box_targets(FRAME, [3, 12], num_slots=1)["labels"].tolist() == [[0, 1]]
    empty = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int)}
    assert (box_targets(empty, [1])["labels"] == -1).all()


def test_boxes_follow_the_centre_square_of_the_decoder():
    frame = {
        "boxes": np.array([[0.2, 0.25, 0.8, 0.5], [0, 0, 1, 0.2], [0, 0.1, 1, 0.5]]),
        "labels": np.array([1, 1, 1]),
    }
    # Twice as wide as high: a quarter of the width is cut off on either side.
    found = box_targets(frame, [1], (200, 100), num_slots=3)
    np.testing.assert_allclose(
        found["boxes"], [[0.2, 0, 0.8, 0.5], [0, 0, 1, 0.5], [0] * 4], atol=1e-6
    )
    assert found["labels"][:, 0].tolist() == [1, 1, -1]
    tall = box_targets(frame, [1], (100, 200), num_slots=3)["boxes"]
    np.testing.assert_allclose(tall[0], [0, 0.25, 1, 0.5], atol=1e-6)


def test_from_the_files_of_ava_to_a_loss(tmp_path):
    write_ramp(tmp_path / "videos" / "a_000010_000012.mp4", fps=12, count=24)
    rows = ["a,0010.5,0.2,0.1,0.5,0.9,12,0", "a,0010.5,0.2,0.1,0.5,0.9,3,0"]
    write(tmp_path / "train.csv", "\n".join([*rows, "a,0011,0.4,0.1,0.6,0.9,12,0"]))
    manifest = read_ava(
        tmp_path / "videos", tmp_path / "train.csv", "train", valid_seconds=None
    )
    (record,) = manifest.records
    frames = manifest.annotation(record)
    seconds = [second - clip_start(record) for second in frames]
    assert seconds == pytest.approx([0.5, 1.0])
    sampler = KeyFrameClips({record.video_id: seconds}, num_frames=6, stride=1)
    dataset = clip_dataset([record] * 2, sampler, size=24, batch_size=2, seed=0)
    batch = next(iter(BatchFeed(dataset, stop=1)))
    # The ramp's gray tells the position: that of the key frame is in the middle.
    for clip, position in zip(batch["video"], batch["key_frame"], strict=True):
        expected = 10 * round(12 * seconds[position])
        assert clip[3].mean() == pytest.approx(expected, abs=8)
    annotations = list(frames.values())
    targets = [
        box_targets(annotations[i], [3, 12], (record.width, record.height))
        for i in batch["key_frame"]
    ]
    boxes, labels = (np.stack([t[k] for t in targets]) for k in ("boxes", "labels"))
    sizes = {"num_layers": 1, "num_heads": 2, "head_dim": 8}
    model = ActionLocaliser(tiny.build().region_backbone(), 2, **sizes)
    inputs = {"video": batch["video"].astype("float32"), "boxes": boxes}
    logits = model.predict(inputs, verbose=0)
    assert logits.shape == labels.shape == (2, 32, 2)
    assert 0 < float(masked_binary_crossentropy(labels, logits)) < 100
