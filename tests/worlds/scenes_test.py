import json

import numpy as np
import pytest
from PIL import Image

from keras_avrep.data import read_sample, scan_folder
from keras_avrep.evaluation import linear_probe_accuracy
from keras_avrep.views import UniformClips
from keras_avrep.worlds import ScenesWorld, render_world
from keras_avrep.worlds.scenes import MOTIONS
from keras_avrep.worlds.shapes import SHAPES, shape_mask
from keras_avrep.worlds.textures import TEXTURES, texture_image


def small(**kwargs):
    return ScenesWorld(**{"size": 32, "num_frames": 12, **kwargs})


def test_frames_are_bit_identical_for_a_seed():
    first, again = small(seed=3), small(seed=3)
    plan = first.plan("train", 5)
    assert plan == again.plan("train", 5)
    np.testing.assert_array_equal(first.frames(plan), again.frames(plan))
    other = small(seed=4)
    assert (first.frames(plan) != other.frames(other.plan("train", 5))).any()


def test_labels_are_spread_and_splits_differ():
    world = small()
    plans = [world.plan("train", i) for i in range(200)]
    for name, count in (("motion", 8), ("scene", 16), ("sprite", 8)):
        assert len({p["labels"][name] for p in plans}) == count
    assert world.plan("train", 0) != world.plan("test", 0)
    assert len({p["scene"]["seed"] for p in plans}) == 200
    fixed = small(fresh_scenes=False)
    seeds = {fixed.plan("train", i)["scene"]["seed"] for i in range(100)}
    assert len(seeds) == 16


def test_pretraining_videos_change_motion_in_the_middle():
    plans = [small().plan("pretrain", i) for i in range(50)]
    assert all(len(p["motions"][0]) == 2 for p in plans)
    assert all(p["motions"][0][0] != p["motions"][0][1] for p in plans)
    assert all("motion" not in p["labels"] for p in plans)
    still = small(switch_probability=0.0)
    assert all(len(still.plan("pretrain", i)["motions"][0]) == 1 for i in range(20))


def test_pretraining_videos_can_have_the_phases_too():
    names = ("right", "up", "clockwise")
    world = small(phases=3, pretrain_phases=True, motions=names)
    plans = [world.plan("pretrain", i) for i in range(60)]
    assert all(len(p["motions"][0]) == 3 for p in plans)
    assert {m for p in plans for m in p["motions"][0]} == set(names)
    assert len({tuple(p["motions"][0]) for p in plans}) == 12
    assert all("motion" not in p["labels"] for p in plans)
    again = ScenesWorld(**world.get_config())
    assert again.plan("pretrain", 7) == plans[7]
    # What is rendered already stays the same world.
    assert not {"pretrain_phases", "motions"} & set(small(phases=3).get_config())


def test_unknown_or_too_few_motions_are_refused():
    for motions in (["sideways", "left"], ["left"]):
        with pytest.raises(ValueError, match="motions"):
            small(motions=motions)


@pytest.mark.parametrize("motion", MOTIONS)
def test_each_motion_does_what_its_name_says(motion):
    world = small(size=48, num_frames=3)
    plan = world.plan("train", 1)
    sprite = plan["sprites"][0]
    sprite.update(center=[24.0, 24.0], shape="half_disc", angle=0.3, zoom=0.5)
    plan["motions"] = [[motion]]
    masks = world.sprite_masks(plan)[0]
    y, x = (_center(mask) for mask in (masks, masks.transpose(0, 2, 1)))
    if motion in ("left", "right"):
        assert np.sign(x[1] - x[0]) == (1 if motion == "right" else -1)
    elif motion in ("up", "down"):
        assert np.sign(y[1] - y[0]) == (1 if motion == "down" else -1)
    elif motion in ("expand", "contract"):
        growth = masks[1].sum() - masks[0].sum()
        assert np.sign(growth) == (1 if motion == "expand" else -1)
    else:
        states = world._states(sprite, [motion])
        turn = states[1][1] - states[0][1]
        # Down is positive, so a growing angle is clockwise.
        assert np.sign(turn) == (1 if motion == "clockwise" else -1)


def _center(masks):
    places = np.arange(masks.shape[1])
    return (masks.sum(axis=2) * places).sum(axis=1) / masks.sum(axis=(1, 2))


def test_single_frames_are_blind_to_motion_and_pairs_are_not():
    world = ScenesWorld(size=48, num_frames=6, seed=1)
    plans = [world.plan("train", i) for i in range(720)]
    videos = np.stack([world.frames(p) for p in plans]).astype(np.float32)
    labels = np.array([p["labels"]["motion"] for p in plans])
    one = videos[:, 2].mean(axis=-1).reshape(len(videos), -1)
    pair = _displacement(videos[:, 2].mean(axis=-1), videos[:, 3].mean(axis=-1))
    train, test = slice(0, 480), slice(480, None)
    blind = linear_probe_accuracy(one[train], one[test], labels[train], labels[test])
    seeing = linear_probe_accuracy(pair[train], pair[test], labels[train], labels[test])
    # Chance is 12.5 %; with 240 tests its deviation is 2.1 %.
    assert blind < 0.125 + 3 * 0.0214
    assert seeing > 0.35


def _displacement(first, second):
    """Cross-correlation of the changes: where did what changed go?"""
    background = np.minimum(np.abs(second - first), 40)
    spectra = [np.fft.fft2(background * np.sign(f - f.mean((1, 2), keepdims=True)))
               for f in (first, second)]  # fmt: skip
    correlation = np.fft.ifft2(np.conj(spectra[0]) * spectra[1]).real
    correlation = np.roll(correlation, (8, 8), axis=(1, 2))[:, :17, :17]
    return correlation.reshape(len(first), -1)


def test_rendering_writes_videos_with_their_truth_and_goes_on(tmp_path):
    world = small(seed=2)
    counts = {"pretrain": 2, "train": 3, "test": 1}
    seen = []
    render_world(
        world, tmp_path, counts, lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (6, 6)
    manifest = scan_folder(tmp_path)
    assert manifest.rejects == []
    assert [len(manifest.split(s)) for s in counts] == [2, 3, 1]
    record = manifest.split("train")[1]
    plan = world.plan("train", 1)
    assert record.labels == plan["labels"]
    times = UniformClips(1, 12, 1)(record)
    decoded = read_sample(record, times, 32)["video"][0].astype(int)
    difference = decoded - world.frames(plan)
    # Colour is kept at half the resolution; brightness and timing are exact.
    assert np.abs(difference).mean() < 9
    assert abs(difference.mean()) < 2
    stamp = (tmp_path / "train/00001.mp4").stat().st_mtime_ns
    (tmp_path / "train/00002.mp4").unlink()
    render_world(world, tmp_path, counts)
    assert (tmp_path / "train/00002.mp4").exists()
    assert (tmp_path / "train/00001.mp4").stat().st_mtime_ns == stamp
    with pytest.raises(ValueError, match="another world"):
        render_world(small(seed=9), tmp_path, counts)


def test_what_is_written_does_not_depend_on_how_many_write(tmp_path):
    world = small(seed=2, num_sprites=2)
    alone, together = (
        render_world(world, tmp_path / str(n), {"train": 4, "test": 2}, workers=n)
        for n in (1, 3)
    )
    files = sorted(p.relative_to(alone) for p in alone.rglob("*") if p.is_file())
    assert len(files) == 6 + 2
    for file in files:
        assert (alone / file).read_bytes() == (together / file).read_bytes()


def test_annotations_hold_what_was_drawn(tmp_path):
    render_world(small(), tmp_path, {"train": 1})
    line = json.loads((tmp_path / "annotations.jsonl").read_text())
    assert set(line) >= {"video", "split", "labels", "motions", "scene", "sprites"}


def extent(mask):
    """Relative box of what a mask covers by more than half."""
    y, x = np.nonzero(mask > 0.5)
    return np.array([y.min(), x.min(), y.max() + 1, x.max() + 1]) / len(mask)


def test_the_box_of_a_whole_sprite_is_the_extent_of_its_mask():
    world = small(num_sprites=8, num_frames=2, size=48)
    plan = world.plan("test", 0)
    for sprite in plan["sprites"]:
        sprite.update(center=[24.0, 23.0], zoom=0.2)
    boxes, masks = world.boxes(plan), world.sprite_masks(plan)
    assert boxes.shape == (8, 2, 4) and boxes.dtype == np.float32
    for box, mask in zip(boxes[:, 0], masks[:, 0], strict=True):
        np.testing.assert_allclose(box, extent(mask), atol=1e-6)


def test_boxes_hold_the_largest_part_and_follow_the_wrap():
    world = small(num_sprites=3, num_frames=16, size=40)
    cut = 0
    for index in range(8):
        plan = world.plan("train", index)
        boxes, masks = world.boxes(plan), world.sprite_masks(plan)
        for i, sprite in enumerate(plan["sprites"]):
            centers = [s[0] for s in world._states(sprite, plan["motions"][i])]
            for box, mask, center in zip(boxes[i], masks[i], centers, strict=True):
                # Unrolled, with its centre in the middle, a sprite is in one piece;
                # the picture's edges cut it into at most four.
                shift = [20 - int(np.floor(c)) for c in center]
                whole = np.roll(mask, shift, axis=(0, 1))
                edges = [s % 40 for s in shift]
                parts = [
                    np.roll(part, [-s for s in shift], axis=(0, 1))
                    for part in quarters(whole, *edges)
                ]
                cut += sum(part.max() > 0.5 for part in parts) > 1
                areas = [part.sum() for part in parts]
                largest = parts[int(np.argmax(areas))]
                assert max(areas) >= mask.sum() / 4
                np.testing.assert_allclose(box, extent(largest), atol=1e-6)
    assert cut > 50


def quarters(mask, row, column):
    for rows in (slice(0, row), slice(row, None)):
        for columns in (slice(0, column), slice(column, None)):
            part = np.zeros_like(mask)
            part[rows, columns] = mask[rows, columns]
            yield part


def test_a_sprite_on_a_corner_has_the_box_of_its_largest_quarter():
    world = small(num_frames=1, size=40)
    plan = world.plan("train", 0)
    plan["sprites"][0].update(shape="square", angle=0.0, zoom=0.5, center=[2.0, 37.0])
    (box,) = world.boxes(plan)[0]
    assert box[0] == 0 and box[3] == 1
    assert box[2] < 0.5 < box[1]
    mask = world.sprite_masks(plan)[0, 0]
    np.testing.assert_allclose(box, extent(mask * (box_mask(box, 40))), atol=1e-6)
    assert mask[-1, 0] > 0.5  # the opposite corner has a piece too


def box_mask(box, size):
    y1, x1, y2, x2 = np.rint(box * size).astype(int)
    inside = np.zeros((size, size))
    inside[y1:y2, x1:x2] = 1
    return inside


@pytest.mark.parametrize("phases", [1, 2, 3, 5])
def test_phases_are_ranges_of_frames_that_move_alike(phases):
    world = small(phases=phases, num_sprites=2, num_frames=13)
    plan = world.plan("train", 3)
    for motions, ranges in zip(plan["motions"], world.phase_ranges(plan), strict=True):
        moved = [motions[t * len(motions) // 13] for t in range(13)]
        spelled = [r["motion"] for r in ranges for _ in range(r["start"], r["stop"])]
        assert spelled == moved
        assert (ranges[0]["start"], ranges[-1]["stop"]) == (0, 13)


def test_boxes_are_written_for_several_sprites_or_on_request(tmp_path):
    def annotation(world, name, **kwargs):
        folder = render_world(world, tmp_path / name, {"train": 1}, **kwargs)
        return json.loads((folder / "annotations.jsonl").read_text())

    assert not {"boxes", "phases"} & set(annotation(small(), "one"))
    world = small(num_sprites=2, phases=2)
    entry = annotation(world, "two")
    plan = world.plan("train", 0)
    np.testing.assert_allclose(entry["boxes"], world.boxes(plan), atol=1e-4)
    assert entry["phases"] == world.phase_ranges(plan)
    assert "boxes" not in annotation(world, "two", boxes=False)
    asked = annotation(small(), "one", boxes=True)
    assert np.shape(asked["boxes"]) == (1, 12, 4)
    assert scan_folder(tmp_path / "one").records[0].labels == asked["labels"]


def test_photos_as_scenes(tmp_path):
    for name, value in (("sea", 40), ("wood", 200)):
        Image.new("RGB", (90, 60), (value, value, value)).save(tmp_path / f"{name}.png")
    world = small(photo_folder=tmp_path, scene_contrast=1.0)
    plans = [world.plan("test", i) for i in range(12)]
    assert {p["labels"]["scene"] for p in plans} == {"sea", "wood"}
    frames = world.frames(plans[0])
    value = 40 if plans[0]["labels"]["scene"] == "sea" else 200
    assert np.median(frames) == value
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="photo_folder"):
        small(photo_folder=empty)


def test_several_sprites_pan_and_phases():
    world = small(num_sprites=3, camera_pan=1.0, phases=2)
    plan = world.plan("train", 0)
    assert len(plan["sprites"]) == 3
    assert ">" in plan["labels"]["motion"]
    assert world.sprite_masks(plan).shape == (3, 12, 32, 32)
    scene_only = world.frames({**plan, "sprites": [], "motions": []})
    right = np.abs(plan["pan"]) * 4
    moved = np.roll(scene_only[4], int(np.sign(plan["pan"]) * right), axis=1)
    np.testing.assert_array_equal(scene_only[0][:, 8:-8], moved[:, 8:-8])


@pytest.mark.parametrize("family", TEXTURES)
def test_textures_are_colours_that_follow_the_seed(family):
    image = texture_image(family, 24, 32, 24, np.random.default_rng(1))
    assert image.shape == (24, 32, 3)
    assert 0 <= image.min() <= image.max() <= 1
    again = texture_image(family, 24, 32, 24, np.random.default_rng(1))
    other = texture_image(family, 24, 32, 24, np.random.default_rng(2))
    np.testing.assert_array_equal(image, again)
    assert (image != other).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_stay_within_their_radius(shape):
    y, x = np.mgrid[-1.5:1.5:61j, -1.5:1.5:61j]
    mask = shape_mask(shape, x, y, softness=0.05)
    assert 0.15 < mask[np.hypot(x, y) < 1.2].mean() < 0.95
    assert mask[np.hypot(x, y) > 1.3].max() == 0


def test_an_unknown_split_is_an_error():
    with pytest.raises(ValueError, match="split"):
        small().plan("validation", 0)


def test_photos_that_cannot_be_read_are_left_out(tmp_path):
    colours = {"sky.png": 40, "sky.jpg": 200, "wood.bmp": 120}
    for name, value in colours.items():
        Image.new("RGB", (90, 60), (value,) * 3).save(tmp_path / name)
    (tmp_path / "broken.png").write_text("no picture")
    world = small(photo_folder=tmp_path, scene_contrast=1.0)
    (reject,) = world.rejects
    assert reject["path"].endswith("broken.png") and reject["reason"]
    shown = {}
    for index in range(20):
        plan = world.plan("test", index)
        frames = world.frames({**plan, "sprites": [], "motions": []})
        shown[plan["labels"]["scene"]] = round(float(np.median(frames)))
    # The suffix tells apart what the name does not.
    assert shown == {"sky.png": 40, "sky.jpg": 200, "wood": 120}


def test_photos_have_to_be_there(tmp_path):
    with pytest.raises(ValueError, match="nowhere is not a folder"):
        small(photo_folder=tmp_path / "nowhere")
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(ValueError, match="no images that can be read"):
        small(photo_folder=tmp_path)


def test_a_folder_of_other_files_is_not_rendered_into(tmp_path):
    own = tmp_path / "annotations.jsonl"
    own.write_text("mine")
    with pytest.raises(ValueError, match=r"other files \(annotations.jsonl\)"):
        render_world(small(), tmp_path, {"train": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["annotations.jsonl"]
    assert own.read_text() == "mine"


def test_an_interrupted_rendering_goes_on(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_world(small(), tmp_path, {"train": 3}, stop, workers=1)
    assert not (tmp_path / "annotations.jsonl").exists()
    (tmp_path / ".hidden").write_text("")
    render_world(small(), tmp_path, {"train": 3})
    assert len((tmp_path / "annotations.jsonl").read_text().splitlines()) == 3


def test_splits_may_be_rendered_one_after_the_other(tmp_path):
    world = small(seed=3)
    render_world(world, tmp_path, {"train": 2})
    render_world(world, tmp_path, {"test": 1})
    manifest = scan_folder(tmp_path)
    assert [len(manifest.split(s)) for s in ("train", "test")] == [2, 1]
    assert "motion" in manifest.label_names
    # Again, and fewer: nothing is listed twice, and what is there stays.
    render_world(world, tmp_path, {"train": 1})
    lines = (tmp_path / "annotations.jsonl").read_text().splitlines()
    assert len(lines) == len({json.loads(line)["video"] for line in lines}) == 3
