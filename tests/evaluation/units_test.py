from pathlib import Path

import numpy as np
import pytest

from keras_avrep.data import scan_folder
from keras_avrep.evaluation import choose_units, write_units
from keras_avrep.worlds import ScenesWorld, render_world

CLIP = {"num_frames": 3, "stride": 1, "size": 12}


def test_strong_and_different_units_are_chosen():
    rng = np.random.default_rng(0)
    excited = np.abs(rng.normal(size=(3, 40)))
    strength = np.stack(
        [
            5 * excited[0],
            4 * excited[0],  # the same clips as unit 0
            3 * excited[1],
            np.full(40, 9.0),  # strong, but whatever the clip
            2 * excited[2],
            np.zeros(40),
        ],
        axis=1,
    )
    assert choose_units(strength, 3, 4).tolist() == [0, 2, 4]
    # What is never excited more than usual is not chosen, however many are wanted.
    assert set(choose_units(strength, 6, 4)) <= {0, 1, 2, 4}
    assert choose_units(np.full((5, 2), np.nan), 2, 2).tolist() == []
    assert choose_units(strength[:1], 2, 4).tolist() == []


class Brightness:
    """Units that measure the red, green and blue of each quarter of a clip."""

    def units(self, clips):
        n, t, h, w, _ = clips.shape
        cells = clips.reshape(n, t, 2, h // 2, 2, w // 2, 3).mean(axis=(3, 5))
        return {"static": cells / 255, "dynamic": 1 - cells[..., :2] / 255}


class NoUnits:
    def units(self, clips):
        return {}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    world = ScenesWorld(size=16, num_frames=4)
    render_world(world, folder, {"pretrain": 0, "train": 0, "test": 7})
    records = scan_folder(folder).records
    Path(records[2].path).write_text("no longer a video")
    return records


def test_the_clips_that_excite_a_unit_come_strongest_first(records, tmp_path):
    path = tmp_path / "units.npz"
    write_units(path, Brightness(), records, CLIP, count=2, top=3)
    with np.load(path) as found:
        units = dict(found)
    assert units["static_clips"].shape == (2, 3, 3, 12, 12, 3)
    assert units["static_clips"].dtype == np.uint8
    assert units["static_maps"].shape == (2, 3, 3, 2, 2)
    assert units["dynamic_units"].shape == (2,)
    for kind in ("static", "dynamic"):
        strength = units[f"{kind}_strength"]
        assert (np.diff(strength, axis=1) <= 0).all()
        again = Brightness().units(units[f"{kind}_clips"].reshape(6, 3, 12, 12, 3))
        for row, unit in enumerate(units[f"{kind}_units"]):
            maps = again[kind][3 * row : 3 * row + 3, ..., unit]
            np.testing.assert_allclose(units[f"{kind}_maps"][row], maps, atol=1e-5)
            np.testing.assert_allclose(
                strength[row], maps.mean(axis=(1, 2, 3)), atol=1e-5
            )


def test_a_bad_video_is_left_out_and_few_clips_are_enough(records, tmp_path):
    path = tmp_path / "units.npz"
    write_units(path, Brightness(), records, CLIP, count=9, top=20)
    with np.load(path) as found:
        assert found["static_clips"].shape[:2] == (len(found["static_units"]), 6)
        assert 1 <= len(found["static_units"]) <= 3
    write_units(path, Brightness(), records, CLIP, top=20, most_clips=2)
    with np.load(path) as found:
        assert found["static_clips"].shape[1] == 2


def test_nothing_is_written_without_units_or_videos(records, tmp_path):
    path = tmp_path / "units.npz"
    write_units(path, NoUnits(), records, CLIP)
    write_units(path, Brightness(), [], CLIP)
    assert not path.exists()
