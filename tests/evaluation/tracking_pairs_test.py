import keras
import numpy as np
import pytest
import tiny_const_cl as tiny
from PIL import Image

from keras_avrep.data import TrackingSequence, read_got10k
from keras_avrep.evaluation import TrackingPairs
from keras_avrep.evaluation.tracking_pairs import frames_with_target
from keras_avrep.models import SiameseTracker, train_tracker

SIZES = {"exemplar_size": 32, "search_size": 64, "num_frames": 2}
NAMES = ["GOT-10k_Train_000001", "GOT-10k_Train_000002", "GOT-10k_Train_000003"]
COUNT = 12


@pytest.fixture(scope="module")
def tracker():
    keras.utils.set_random_seed(0)
    return SiameseTracker.for_backbone(tiny.build().region_backbone(), **SIZES)


def box_of(number):
    return (10 + 2 * number, 20 + number, 9, 9)


@pytest.fixture
def sequences(tmp_path):
    """A white square on black that moves; frame after frame it gets darker."""
    for name in NAMES:
        folder = tmp_path / "train" / name
        folder.mkdir(parents=True)
        lines = []
        for number in range(COUNT):
            left, top, width, height = box_of(number)
            picture = np.zeros((64, 64, 3), "uint8")
            picture[top : top + height, left : left + width] = 250 - 10 * number
            # Lossless whatever its name: readers look for the suffix of the set.
            Image.fromarray(picture).save(folder / f"{number + 1:08d}.jpg", "PNG")
            lines.append(",".join(map(str, (left, top, width, height))))
        (folder / "groundtruth.txt").write_text("\n".join(lines))
    (tmp_path / "train" / "list.txt").write_text("\n".join(NAMES))
    return read_got10k(tmp_path, "train").sequences


def place_of(image):
    """Centre of what is bright, from the centre of the image."""
    bright = image.mean(axis=-1)
    bright = np.where(bright > bright.max() / 2, bright, 0)
    grid = np.arange(len(bright)) - (len(bright) - 1) / 2
    total = bright.sum()
    return np.array([(bright.sum(1) @ grid) / total, (bright.sum(0) @ grid) / total])


def numbers_of(images):
    """Which frame each image is of, by its brightness."""
    return np.round((250 - images.max(axis=(1, 2, 3))) / 10).astype(int)


def test_the_target_is_in_the_middle_of_one_and_shifted_in_the_other(
    tracker, sequences
):
    pairs = TrackingPairs(tracker, sequences, batch_size=3, max_shift=12.0)
    assert len(pairs) == 1
    inputs, shifts = pairs[0]
    assert inputs["exemplar"].shape == (3, 32, 32, 3)
    assert inputs["search"].shape == (3, 64, 64, 3)
    assert np.abs(shifts).max() <= 12 and len(np.unique(shifts)) == 6
    for exemplar, search, shift in zip(*inputs.values(), shifts, strict=True):
        np.testing.assert_allclose(place_of(exemplar), 0, atol=0.6)
        np.testing.assert_allclose(place_of(search), shift, atol=0.6)


def test_pairs_are_near_in_time_and_drawn_anew_each_epoch(tracker, sequences):
    pairs = TrackingPairs(tracker, sequences, batch_size=3, max_gap=4, seed=1)
    seen = []
    for _ in range(8):
        inputs, shifts = pairs[0]
        again, _ = pairs[0]
        np.testing.assert_array_equal(inputs["search"], again["search"])
        gaps = abs(numbers_of(inputs["exemplar"]) - numbers_of(inputs["search"]))
        assert gaps.min() >= 1 and gaps.max() <= 3
        seen.append(shifts)
        pairs.on_epoch_end()
    assert len(np.unique(seen)) == 8 * 6


def test_every_sequence_is_there_once_an_epoch(tracker, sequences):
    named = [
        TrackingSequence(s.name, s.frames[i : i + 2], s.boxes[i : i + 2], s.absent[:2],
                         s.width, s.height)
        for s, i in zip(sequences, (0, 4, 8), strict=True)
    ]  # fmt: skip
    pairs = TrackingPairs(tracker, named, batch_size=1)
    assert len(pairs) == 3
    found = [int(numbers_of(pairs[i][0]["exemplar"])[0]) // 4 for i in range(3)]
    assert sorted(found) == [0, 1, 2]


def test_what_cannot_be_read_is_told_and_replaced(tracker, sequences):
    broken = sequences[0]
    for path in broken.frames:
        with open(path, "w") as file:
            file.write("no picture")
    told = []
    pairs = TrackingPairs(
        tracker,
        sequences,
        batch_size=3,
        on_reject=lambda path, reason: told.append((path, reason)),
    )
    inputs, _ = pairs[0]
    assert inputs["search"].shape[0] == 3
    assert np.isfinite(inputs["search"]).all() and inputs["search"].max() > 100
    assert {path for path, _ in told} <= set(broken.frames) and told
    only = TrackingPairs(tracker, [broken])
    with pytest.raises(ValueError, match="no frame that can be read"):
        only[0]


def test_frames_without_a_target_are_left_out(tracker):
    boxes = np.array([[0, 0, 5, 5], [np.nan] * 4, [0, 0, 0, 5], [1, 1, 4, 4.0]])
    absent = np.array([False, False, False, True])
    sequence = TrackingSequence("a", ["x"] * 4, boxes, absent, 9, 9)
    assert frames_with_target(sequence).tolist() == [0]
    with pytest.raises(ValueError, match="none with two boxes"):
        TrackingPairs(tracker, [sequence])


def test_a_tracker_learns_from_them(tracker, sequences):
    keras.utils.set_random_seed(0)
    pairs = TrackingPairs(tracker, sequences, batch_size=3, max_shift=8.0)
    rates = []

    class Rates(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    kernel = tracker.get_layer("search_adjust").kernel
    before = keras.ops.convert_to_numpy(kernel)
    losses = train_tracker(
        tracker, pairs, epochs=8, last_rate=1e-4, callbacks=[Rates()]
    )
    assert len(losses) == 8 <= pairs.epoch
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert (
        np.abs(tracker.get_layer("search_adjust").get_weights()[0] - before).max() > 0
    )
    np.testing.assert_allclose(rates, 1e-3 * 0.1 ** (np.arange(8) / 8), rtol=1e-4)
