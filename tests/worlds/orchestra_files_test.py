import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reader_results import reasons

from keras_avrep.cli.main import main
from keras_avrep.data import (
    read_csol_boxes,
    read_frames,
    read_moment,
    read_moment_folder,
    read_music_solo,
    read_waveform,
    scan_folder,
    write_audio,
)
from keras_avrep.worlds import (
    OrchestraWorld,
    ScenesWorld,
    render_mixtures,
    render_seconds,
    render_world,
)

CLASSES = ("bell", "drum", "horn", "whistle")
SHADES = {"bell": 40, "drum": 100, "horn": 160, "whistle": 220}
HERTZ = {"bell": 300, "drum": 700, "horn": 1500, "whistle": 3100}


def small(kind="solo", **kwargs):
    return OrchestraWorld(kind, **{"size": 64, "fps": 4, **kwargs})


def test_videos_have_sound_and_their_truth_beside(tmp_path):
    world = small("unconstrained", seed=2)
    counts = {"train": 2, "test": 1}
    render_world(world, tmp_path, counts, wav=True, stems=True)
    manifest = scan_folder(tmp_path)
    assert manifest.rejects == []
    assert [len(manifest.split(s)) for s in counts] == [2, 1]
    record = manifest.split("train")[1]
    assert record.has_audio and record.num_frames == 4
    plan = world.plan("train", 1)
    assert record.labels == plan["labels"]
    lossless, _ = read_waveform(tmp_path / "train/00001.wav")
    np.testing.assert_array_equal(lossless, world.waveform(plan))
    with np.load(tmp_path / "train/00001.npz") as parts:
        np.testing.assert_array_equal(parts["stems"], world.stems(plan))
        assert parts["sample_rate"] == 16000
    # The track of the video is in time with the lossless one, and close to it.
    track, has_audio = read_waveform(record.path, 0.0, 1.0)
    assert has_audio
    assert np.corrcoef(track, lossless)[0, 1] > 0.95
    shift = np.correlate(track, lossless, "full").argmax() - (len(lossless) - 1)
    assert abs(shift) <= 1
    decoded = read_frames(record.path, [0.0, 0.25, 0.5, 0.75], 64)
    assert np.abs(decoded.astype(int) - world.frames(plan)).mean() < 12
    stamp = (tmp_path / "train/00001.mp4").stat().st_mtime_ns
    (tmp_path / "train/00000.mp4").unlink()
    render_world(world, tmp_path, counts)
    assert (tmp_path / "train/00000.mp4").exists()
    assert (tmp_path / "train/00001.mp4").stat().st_mtime_ns == stamp
    with pytest.raises(ValueError, match="another world"):
        render_world(small("solo"), tmp_path, counts)


def test_annotations_name_every_source(tmp_path):
    world = small("unconstrained", num_off_screen=(1, 1))
    render_world(world, tmp_path, {"test": 1})
    line = json.loads((tmp_path / "annotations.jsonl").read_text())
    plan = world.plan("test", 0)
    assert line["kind"] == "unconstrained"
    assert line["noise_db"] == plan["noise"]["gain_db"]
    assert len(line["sources"]) == 5
    assert [s["on_screen"] for s in line["sources"]] == [True] * 4 + [False]
    for source in line["sources"]:
        assert world.classes[source["class_id"]] == source["class"]
        assert (source["gain_db"] is None) == (not source["sounding"])
        assert len(source["boxes"]) == (4 if source["on_screen"] else 0)
        for y1, x1, y2, x2 in source["boxes"]:
            assert 0 <= y1 < y2 <= 1 and 0 <= x1 < x2 <= 1
    boxes = [s["boxes"] for s in line["sources"] if s["on_screen"]]
    np.testing.assert_allclose(boxes, world.boxes(plan), atol=1e-6)


def test_a_silent_world_has_no_stems(tmp_path):
    with pytest.raises(ValueError, match="no sound"):
        render_world(ScenesWorld(size=32, num_frames=4), tmp_path, {}, wav=True)


def test_mixture_folders_hold_arrays_that_agree(tmp_path):
    world, seen = small("unconstrained", num_off_screen=(2, 2)), []
    render_mixtures(world, tmp_path, {"train": 2}, lambda *done: seen.append(done))
    assert seen == [(1, 2), (2, 2)]
    folder, plan = tmp_path / "train", world.plan("train", 1)
    audio = np.load(folder / "audio/00001.npy")
    assert audio.dtype == np.float32 and audio.shape == (16000,)
    with np.load(folder / "stems/00001.npz") as parts:
        np.testing.assert_array_equal(parts["stems"].sum(axis=0), audio)
        assert parts["class_ids"][-1] == -1 and len(parts["class_ids"]) == 5
        assert parts["on_screen"].tolist() == [True, True, False, False, False]
        assert parts["gains_db"].max() == 0
    box = np.load(folder / "box/00001.npy")
    assert box.shape == (4, 6)
    assert box[:, 5].sum() == 2
    names = (tmp_path / "classes.txt").read_text().split()
    assert [names[int(i)] for i in box[:, 4]] == [
        s["class"] for s in plan["sources"] if s["on_screen"]
    ]
    y1, x1, y2, x2 = world.boxes(plan)[2, 0]
    np.testing.assert_allclose(box[2, :4], [x1, y1, x2 - x1, y2 - y1])
    with Image.open(folder / "frame/00001.jpg") as image:
        difference = np.asarray(image).astype(int) - world.frames(plan)[0]
    assert np.abs(difference).mean() < 6


# --- cut into seconds, as MUSIC is -----------------------------------------------


@pytest.fixture(scope="module")
def seconds(tmp_path_factory):
    """Two duets of 2.5 seconds with boxes, and one more of another split."""
    world = small("duet", seconds=2.5, fps=3, pulse=0.5)
    folder = tmp_path_factory.mktemp("cut") / "duets"
    return world, render_seconds(world, folder, {"pretrain": 0, "train": 1, "test": 2})


def test_what_is_cut_is_read_as_music(seconds):
    world, folder = seconds
    labels = folder / "MUSIC_duet_videos.json"
    manifest = read_music_solo(folder, labels, folder / "test.txt", "test")
    assert manifest.rejects == []
    assert [r.moment_id for r in manifest.records] == [
        f"test0000{video}_0_1000/00{second}" for video in (0, 1) for second in (0, 1)
    ]
    record, plan = manifest.records[3], world.plan("test", 1)
    assert record.video_id == "test00001"
    assert record.labels == {"class": plan["labels"]["class"].replace("+", " ")}
    # Three pictures a second, at the times at which the video shows them.
    np.testing.assert_allclose(record.times, [1, 4 / 3, 5 / 3], atol=1e-6)
    sample = read_moment(record, size=64, picture=2)
    np.testing.assert_array_equal(sample["audio"], world.waveform(plan)[16000:32000])
    assert np.abs(sample["frame"].astype(int) - world.frames(plan)[5]).mean() < 6


def test_boxes_of_what_is_cut_are_those_of_the_world(seconds):
    world, folder = seconds
    boxes = read_csol_boxes(folder / "duettest.json")
    matches, unmatched = boxes.match(read_music_solo(folder, pairs=folder / "test.txt"))
    assert boxes.rejects == unmatched == []
    # The third second is not whole, so nothing of it is written.
    assert len(matches) == 2 * 2 * 3
    plan = world.plan("test", 1)
    moment = matches[-1].moment
    np.testing.assert_allclose(moment.boxes, world.boxes(plan)[:, 5], atol=1e-5)
    assert moment.box_labels == tuple(s["class"] for s in plan["sources"])
    # With `pulse` no two pictures of a second have the same boxes.
    assert matches[-2].moment.boxes != moment.boxes
    # And as they are published: in pixels too, and numbered.
    entry = json.loads((folder / "duettest.json").read_text())
    entry = entry["test00001_0_1000/frame_001/00050.jpg"]
    assert (entry["wdith"], entry["height"]) == (64, 64)
    for box in entry["bbox"]:
        np.testing.assert_allclose(
            box["box"], np.multiply(box["normbox"], 64), atol=0.01
        )


def test_only_what_sounds_and_is_seen_has_a_box(tmp_path):
    world = small("unconstrained", num_off_screen=(2, 2))
    render_seconds(world, tmp_path, {"test": 1})
    plan = world.plan("test", 0)
    entries = json.loads((tmp_path / "unconstrainedtest.json").read_text())
    entry = entries["test00000_0_1000/frame_000/00000.jpg"]
    names = [world.classes[box["category_id"]] for box in entry["bbox"]]
    assert names == [
        s["class"] for s in plan["sources"] if s["sounding"] and s["on_screen"]
    ]


def test_a_folder_that_is_cut_keeps_its_splits(seconds, tmp_path):
    _, folder = seconds
    manifest = read_moment_folder(folder)
    assert [len(manifest.split(s)) for s in ("train", "test")] == [2, 4]
    assert manifest.rejects == []
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "train.txt").unlink()
    # What is not held out is to learn from.
    assert read_moment_folder(copy).records[-1].split == "train"
    first, second = (f"test0000{n}_0_1000" for n in (0, 1))
    (copy / "train.txt").write_text(f"{first}.flac {first}.mp4\ngone.flac gone.mp4\n")
    manifest = read_moment_folder(copy)
    found = {r.moment_id: r.split for r in manifest.records}
    assert found == {
        **{f"{first}/00{s}": "train" for s in (0, 1)},
        **{f"{second}/00{s}": "test" for s in (0, 1)},
    }
    assert reasons(manifest) == {
        "gone": "listed in train.txt but not there",
        first: "listed for train and again test",
        "train00000_0_1000": "is in none of the lists of splits",
    }


def test_cutting_goes_on_where_it_was_interrupted(tmp_path):
    world = small(seconds=2)
    render_seconds(world, tmp_path, {"train": 2})
    kept = tmp_path / "wav_frames/train00000_0_1000/001.wav"
    stamp = kept.stat().st_mtime_ns
    lost = tmp_path / "wav_frames/train00001_0_1000/001.wav"
    lost.unlink()
    seen = []
    render_seconds(world, tmp_path, {"train": 2}, lambda *done: seen.append(done))
    assert lost.exists() and kept.stat().st_mtime_ns == stamp
    assert seen == [(1, 2), (2, 2)]
    # A split that comes later is added to what is known of the others.
    assert not (tmp_path / "solotest.json").exists()
    render_seconds(world, tmp_path, {"test": 1})
    render_seconds(world, tmp_path, {"train": 1})
    content = json.loads((tmp_path / "MUSIC_solo_videos.json").read_text())
    names = sorted(name for names in content["videos"].values() for name in names)
    assert names == ["test00000", "train00000", "train00001"]
    assert len(json.loads((tmp_path / "solotest.json").read_text())) == 8
    with pytest.raises(ValueError, match="another world"):
        render_seconds(small("duet"), tmp_path, {"train": 1})
    with pytest.raises(ValueError, match="no whole second"):
        render_seconds(small(seconds=0.5), tmp_path / "short", {"train": 1})


def test_rendering_cut_is_a_command(tmp_path, capsys):
    command = ["render", str(tmp_path / "cut"), "--world", "orchestra", "--cut"]
    counts = ["--pretrain", "0", "--train", "1", "--test", "1", "--size", "64"]
    assert main([*command, *counts]) == 0
    assert (tmp_path / "cut/solotest.json").exists()
    assert main([*command, *counts, "--stems"]) == 2
    assert "--stems does not go with --cut" in capsys.readouterr().err
    assert main([*command, *counts, "--mixtures"]) == 2
    assert "--cut does not go with --mixtures" in capsys.readouterr().err


# --- real pictures and recordings ----------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Plain pictures and tones, one shade and one pitch for each class."""
    root = tmp_path_factory.mktemp("real")
    for name in CLASSES:
        for number in range(4):
            path = root / "pictures" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            shade = SHADES[name] + number
            Image.new("RGB", (50, 40), (shade, shade, shade)).save(path)
            t = np.arange(32000) / 16000
            tone = 0.2 * np.sin(2 * np.pi * (HERTZ[name] + number) * t)
            tone[:8000] = 0  # recordings begin with a pause
            path = root / "recordings" / name / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_audio(path, tone)
    (root / "pictures/bell/broken.png").write_text("no picture")
    (root / "recordings/bell/broken.wav").write_text("no sound")
    write_audio(root / "recordings/drum/silence.wav", np.zeros(16000))
    (root / "pictures/unheard").mkdir()
    return root


def real(folders, kind, **kwargs):
    pictures, recordings = folders / "pictures", folders / "recordings"
    return small(kind, pictures=pictures, recordings=recordings, **kwargs)


def pitch(waveform):
    return np.abs(np.fft.rfft(waveform)).argmax()


def test_real_pictures_and_recordings_keep_their_classes(folders):
    world = real(folders, "composite")
    assert world.classes == list(CLASSES)
    for index in range(6):
        plan = world.plan("train", index)
        frame, boxes = world.frames(plan)[0], world.boxes(plan)[:, 0]
        for source, box in zip(plan["sources"], boxes, strict=True):
            y1, x1, y2, x2 = np.rint(box * 64).astype(int)
            assert abs(np.median(frame[y1:y2, x1:x2]) - SHADES[source["class"]]) <= 3
            assert (y2 - y1, x2 - x1) == (32, 32)
        heard = [s["class"] for s in plan["sources"] if s["sounding"]]
        for name, stem in zip(heard, world.stems(plan), strict=True):
            assert abs(pitch(stem) - HERTZ[name]) <= 4


def test_no_file_is_in_two_splits(folders):
    world = real(folders, "solo")
    used = {}
    for split in ("pretrain", "train", "test"):
        plans = [world.plan(split, i) for i in range(60)]
        sources = [p["sources"][0] for p in plans]
        used[split] = {s["look"]["picture"] for s in sources}
        used[split] |= {s["sound"]["recording"] for s in sources}
    assert not used["pretrain"] & used["train"]
    assert not used["test"] & (used["pretrain"] | used["train"])
    assert len(set.union(*used.values())) == 2 * 16


def test_pauses_are_passed_over(folders):
    world = real(folders, "solo")
    for index in range(20):
        waveform = world.waveform(world.plan("test", index))
        assert np.sqrt(np.mean(waveform**2)) == pytest.approx(0.1, rel=1e-3)


def test_unusable_files_are_listed_and_left_out(folders):
    found = real(folders, "solo").rejects
    rejects = {r["path"].split("/")[-1]: r["reason"] for r in found}
    assert set(rejects) == {"broken.png", "broken.wav", "silence.wav"}
    assert "picture" in rejects["broken.png"]
    assert rejects["silence.wav"] == "is silent"


def test_folders_without_enough_are_refused(folders, tmp_path):
    with pytest.raises(ValueError, match="not a folder"):
        small(pictures=tmp_path / "no", recordings=tmp_path)
    with pytest.raises(ValueError, match="share 0 sub-folders"):
        small(pictures=tmp_path, recordings=tmp_path)
    for name in ("bell", "drum"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=r"`pictures` has 0 usable files in .*bell"):
        small(pictures=tmp_path, recordings=folders / "recordings")
    with pytest.raises(ValueError, match="holds up to 6"):
        real(folders, "unconstrained")
    with pytest.raises(ValueError, match="at least 9"):
        real(folders, "solo", num_classes=9)


def test_the_command_lists_real_files_that_cannot_be_used(folders, tmp_path, capsys):
    run = ["render", str(tmp_path), "--world", "orchestra", "--size", "32"]
    run += ["--pretrain", "0", "--train", "0", "--test", "1"]
    for name in ("pictures", "recordings"):
        run += [f"--{name}", str(folders / name)]
    assert main(run) == 0
    assert "left out: 3 files that cannot be used" in capsys.readouterr().out
    lines = (tmp_path / "rejects.jsonl").read_text().splitlines()
    names = sorted(Path(json.loads(line)["path"]).name for line in lines)
    assert names == ["broken.png", "broken.wav", "silence.wav"]
    assert main([*run, "--look-alike", "0.5"]) == 2


@pytest.mark.parametrize("render", [render_mixtures, render_seconds])
def test_other_layouts_are_not_written_among_other_files(tmp_path, render):
    (tmp_path / "classes.txt").write_text("mine")
    with pytest.raises(ValueError, match="choose an empty folder"):
        render(small(), tmp_path, {"train": 1})
    assert (tmp_path / "classes.txt").read_text() == "mine"
