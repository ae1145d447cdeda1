import numpy as np
import pytest
from sound_files import write_flash_and_click

from keras_avrep.data import moment_set, scan_folder
from keras_avrep.views import RandomMoment


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    root = tmp_path_factory.mktemp("moments")
    for index in range(5):
        write_flash_and_click(root / f"{index}.mp4", 5, 1.5, 16000)
    (root / "4.mp4").rename(root / "last.mp4")
    found = scan_folder(root).records
    # Damaged only after it was found to be fine.
    damaged = root / "last.mp4"
    damaged.write_bytes(damaged.read_bytes()[:400])
    return found


def test_batches_are_of_two_sizes_and_each_video_comes_once(records):
    rejected = []
    solo = moment_set(
        records[:4],
        RandomMoment(0.5),
        size=24,
        view_size=16,
        batch_size=3,
        on_reject=lambda record, reason: rejected.append(record.video_id),
    )
    assert (solo.num_records, solo.batch_size, solo.epoch_steps) == (4, 3, 1)
    batch = solo.batches[7]
    assert batch["frame"].shape == (3, 24, 24, 3)
    assert batch["audio"].shape == (3, 8000)
    assert len(set(batch["record"].tolist())) == 3
    once = list(solo.each_once())
    assert once[0]["frame"].shape == (3, 16, 16, 3)
    assert np.concatenate([b["record"] for b in once]).tolist() == [0, 1, 2, 3, 0, 1]
    assert rejected == []


def test_moments_are_a_function_of_the_seed(records):
    first, again, other = (
        moment_set(records[:4], RandomMoment(0.5), size=16, batch_size=2, seed=seed)
        for seed in (0, 0, 1)
    )
    for name, array in first.batches[3].items():
        np.testing.assert_array_equal(again.batches[3][name], array)
    differs = [
        np.any(first.batches[i]["audio"] != other.batches[i]["audio"]) for i in range(4)
    ]
    assert any(differs)


def test_a_damaged_video_is_replaced_and_listed(records):
    rejected = []
    solo = moment_set(
        records,
        RandomMoment(0.5),
        size=16,
        view_size=16,
        batch_size=8,
        on_reject=lambda record, reason: rejected.append(record.video_id),
    )
    assert solo.batch_size == 5
    (batch,) = solo.each_once()
    assert batch["record"].tolist() == [0, 1, 2, 3, 0]
    assert rejected == ["last.mp4"]
