import json

import numpy as np
import pytest

from keras_avrep.data import (
    MomentManifest,
    read_moment,
    read_orchestra,
    read_synthetic_mixtures,
    write_video,
)
from keras_avrep.worlds import OrchestraWorld, render_mixtures, render_world


def test_moments_have_the_truth_of_their_frame_and_sound(tmp_path):
    world = OrchestraWorld("unconstrained", size=64, seconds=2.5, seed=3)
    render_world(world, tmp_path, {"train": 1, "test": 2})
    manifest = read_orchestra(tmp_path)
    assert manifest.rejects == []
    ids = [r.moment_id for r in manifest.split("test")]
    assert ids[:3] == [
        "test/00000.mp4/000",
        "test/00000.mp4/001",
        "test/00001.mp4/000",
    ]
    record, plan = manifest.split("test")[3], world.plan("test", 1)
    assert (record.start, record.times) == (1.0, (1.5,))
    shown = [s for s in plan["sources"] if s["on_screen"]]
    assert record.box_labels == tuple(s["class"] for s in shown)
    assert record.box_sounding == tuple(s["sounding"] for s in shown)
    np.testing.assert_allclose(record.boxes, world.boxes(plan)[:, 6], atol=1e-6)
    heard = {s["class"]: s["gain_db"] for s in plan["sources"] if s["sounding"]}
    assert record.levels == heard
    sample = read_moment(record, size=64)
    assert np.abs(sample["frame"].astype(int) - world.frames(plan)[6]).mean() < 12
    waveform = world.waveform(plan)[16000:32000]
    assert np.corrcoef(sample["audio"], waveform)[0, 1] > 0.95
    manifest.save(tmp_path / "m.json")
    assert MomentManifest.load(tmp_path / "m.json").records == manifest.records


def test_mixtures_have_the_levels_of_their_stems(tmp_path):
    world = OrchestraWorld("unconstrained", size=64, seed=1)
    render_mixtures(world, tmp_path, {"test": 1})
    (record,) = read_synthetic_mixtures(tmp_path).records
    sources = world.plan("test", 0)["sources"]
    for source in sources:
        if source["sounding"]:
            level = record.levels.pop(source["class"])
            assert level == pytest.approx(source["gain_db"], abs=1e-4)
    assert record.levels == {}


def test_a_wide_video_is_scaled_whole(tmp_path):
    frames = np.zeros((8, 32, 96, 3), np.uint8)
    frames[4:, :, :32] = 255
    write_video(tmp_path / "a.mp4", frames, 4, audio=np.zeros(32000))
    source = {"class": "bell", "on_screen": True, "sounding": True, "gain_db": 0.0}
    source["boxes"] = [[0, 0, 1, 1 / 3]] * 8
    lines = {"video": "a.mp4", "sources": [source]}, {"video": "b.mp4"}
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "annotations.jsonl").write_text(text + "\nno json\n")
    manifest = read_orchestra(tmp_path)
    assert len(manifest.records) == 2
    assert {r["path"] for r in manifest.rejects} == {"annotations.jsonl:3", "b.mp4"}
    before, after = (read_moment(r, size=24)["frame"] for r in manifest.records)
    assert before.max() < 20
    assert after[:, :7].min() > 200 and after[:, 9:].max() < 50


def test_other_folders_are_told(tmp_path):
    with pytest.raises(ValueError, match="with sources; render it"):
        read_orchestra(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        read_orchestra(tmp_path / "nowhere")
