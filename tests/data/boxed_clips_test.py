import json
from types import SimpleNamespace

import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import BoxedClips, clip_dataset, read_box_tracks, scan_folder
from keras_avrep.views import LinearDecaySampler, RandomClips
from keras_avrep.worlds import ScenesWorld, render_world

WIDE = SimpleNamespace(
    video_id="a", fps=10.0, duration=4.0, width=80, height=40, num_frames=40
)


def fixed(*times):
    """A sampler of one clip at each time, five frames around it."""
    clips = np.array(times)[:, None] + np.arange(-2, 3) * 0.1
    return lambda record, rng: {"video": clips, "numbers": {"kept": np.float32(1)}}


def known(seconds, boxes):
    return {"a": {"seconds": np.array(seconds), "boxes": np.array(boxes, "float64")}}


def test_boxes_are_those_of_the_frame_in_the_middle_of_each_clip():
    tracks = [[[0, 0.25 + k / 100, 1, 0.5 + k / 100]] for k in range(4)]
    sampler = BoxedClips(fixed(0.95, 3.2), known([0, 1, 2, 3], tracks), 2)
    sample = sampler(WIDE, np.random.default_rng(0))
    assert sample["video"].shape == (2, 5)
    numbers = sample["numbers"]
    assert numbers.keys() == {"kept", "boxes", "box_mask"}
    assert numbers["boxes"].dtype == np.float32
    # Twice as wide as high: the decoder keeps the middle half.
    expected = [[[0, 0.02, 1, 0.52], [0] * 4], [[0, 0.06, 1, 0.56], [0] * 4]]
    np.testing.assert_allclose(numbers["boxes"], expected, atol=1e-6)
    assert numbers["box_mask"].tolist() == [[True, False]] * 2


def test_what_is_not_seen_or_not_near_has_no_box():
    absent, outside = [np.nan] * 4, [0.1, 0, 0.9, 0.2]
    boxes = [[[0, 0.3, 1, 0.6], absent, outside], [absent, [0, 0, 1, 1], outside]]
    sampler = BoxedClips(fixed(0.1, 1.4, 2.0), known([0.0, 1.0], boxes), 3)
    numbers = sampler(WIDE, np.random.default_rng(0))["numbers"]
    expected = [[True, False, False], [False, True, False], [False] * 3]
    assert numbers["box_mask"].tolist() == expected
    np.testing.assert_allclose(numbers["boxes"][1, 1], [0, 0, 1, 1])
    assert not numbers["boxes"][~numbers["box_mask"]].any()
    # A video of which nothing is known, and one without a single frame of boxes.
    for unknown in ({}, known([], np.zeros((0, 3, 4)))):
        numbers = BoxedClips(fixed(1.0), unknown, 3)(WIDE, np.random.default_rng(0))
        assert not numbers["numbers"]["box_mask"].any()
        assert numbers["numbers"]["boxes"].shape == (1, 3, 4)


def test_more_things_than_slots_are_drawn_and_keep_their_numbers():
    boxes = [[[0, 0.3, (k + 1) / 10, 0.6] for k in range(6)]] * 2
    sampler = BoxedClips(fixed(0.0, 1.0), known([0.0, 1.0], boxes), 4)
    drawn = set()
    for seed in range(40):
        found = sampler(WIDE, np.random.default_rng(seed))["numbers"]["boxes"]
        np.testing.assert_array_equal(found[0], found[1])
        chosen = tuple(np.rint(found[0, :, 2] * 10).astype(int).tolist())
        assert list(chosen) == sorted(set(chosen))
        drawn.add(chosen)
    assert len(drawn) > 8


def test_from_a_rendered_world_to_a_batch(tmp_path):
    world = ScenesWorld(num_sprites=2, num_frames=12, size=32, seed=3)
    manifest = scan_folder(render_world(world, tmp_path / "v", {"pretrain": 4}))
    read = read_box_tracks(manifest)
    assert read.rejects == []
    for index, record in enumerate(manifest.records):
        track, plan = read.tracks[record.video_id], world.plan("pretrain", index)
        np.testing.assert_allclose(
            track["boxes"].transpose(1, 0, 2), world.boxes(plan), atol=1e-4
        )
        np.testing.assert_allclose(track["seconds"], (np.arange(12) + 0.5) / 12)
    sampler = BoxedClips(LinearDecaySampler(4, 1), read.tracks, num_boxes=3)
    batch = clip_dataset(manifest.records, sampler, size=32, batch_size=4)[0]
    assert batch["boxes"].shape == (4, 2, 3, 4)
    assert (batch["box_mask"] == [True, True, False]).all()
    for row, position in enumerate(batch["record"]):
        # The frames say which ones they are.
        plan = world.plan("pretrain", int(position))
        frames = world.frames(plan).astype(float)
        for clip, boxes in zip(batch["video"][row], batch["boxes"][row], strict=True):
            gaps = np.abs(frames - clip[2]).mean(axis=(1, 2, 3))
            expected = world.boxes(plan)[:, gaps.argmin()]
            np.testing.assert_allclose(boxes[:2], expected, atol=1e-4)


def test_lines_that_make_no_sense_are_listed(tmp_path):
    for name in "abcde":
        write_ramp(tmp_path / f"{name}.mp4", count=4)
    box = [0.1, 0.1, 0.5, 0.5]
    lines = [
        json.dumps({"video": "a.mp4", "boxes": [[box, None, box, box]]}),
        json.dumps({"video": "b.mp4", "boxes": [[box, [0, 0, 1]]]}),
        json.dumps({"video": "c.mp4", "boxes": [[[0, 0, 320, 240]]]}),
        json.dumps({"video": "d.mp4", "boxes": 3}),
        json.dumps({"video": "e.mp4", "labels": {"class": "x"}}),
        json.dumps({"video": "gone.mp4", "boxes": [[box]]}),
        "",
    ]
    (tmp_path / "annotations.jsonl").write_text("\n".join(lines))
    read = read_box_tracks(scan_folder(tmp_path))
    assert read.tracks.keys() == {"a.mp4"}
    assert np.isnan(read.tracks["a.mp4"]["boxes"][1]).all()
    places = [r["path"].split(":")[1] for r in read.rejects]
    assert places == ["2", "3", "4"]
    assert "between 0 and 1" in read.rejects[1]["reason"]


def test_a_folder_without_boxes_is_refused(tmp_path):
    write_ramp(tmp_path / "a.mp4", count=4)
    with pytest.raises(ValueError, match="There is no"):
        read_box_tracks(scan_folder(tmp_path))
    (tmp_path / "annotations.jsonl").write_text('{"video": "a.mp4"}\n')
    with pytest.raises(ValueError, match="has no `boxes`"):
        read_box_tracks(scan_folder(tmp_path))


def test_samplers_without_numbers_get_some():
    sampler = BoxedClips(RandomClips(2, 4, 1), {}, 2)
    sample = sampler(WIDE, np.random.default_rng(0))
    assert sample.keys() == {"video", "static", "numbers"}
