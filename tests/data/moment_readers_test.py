import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moment_trees import (
    log_mel,
    write_cut_video,
    write_pickle,
    write_picture,
    write_wave,
)
from reader_results import reasons, write

from keras_avrep.data import (
    MediaError,
    MomentManifest,
    missing_videos,
    read_audioset_instruments,
    read_csol_boxes,
    read_moment,
    read_music_solo,
    read_stems,
    read_synthetic_mixtures,
)
from keras_avrep.data.array_pickle import read_array_pickle
from keras_avrep.data.readers.frame_times import COMMON_RATES, frame_rate, frame_time
from keras_avrep.worlds import OrchestraWorld, render_mixtures

CELLO, FLUTE = "4Oy5VmaacaI", "-oe-KptPGnY"
LABELS = {"version": 1.0, "videos": {"cello": [CELLO], "flute": [FLUTE, "vanished"]}}


@pytest.fixture
def solo(tmp_path):
    """The solo root with two videos, of 30 and of 25 frames a second."""
    root = tmp_path / "solo"
    write_cut_video(root, f"{CELLO}_0_1000", rate=30)
    write_cut_video(root, f"{FLUTE}_0_1000", rate=25)
    write(tmp_path / "MUSIC_solo_videos.json", json.dumps(LABELS))
    names = [f"{n}_0_1000" for n in (CELLO, FLUTE, "vanished")]
    lines = [f"{n}.flac {n}.mp4" for n in names]
    write(tmp_path / "solo_training.txt", "\n".join(lines) + "\nx.flac y.mp4\n")
    return tmp_path


def read(folder, pairs="solo_training.txt", **kwargs):
    pairs = None if pairs is None else folder / pairs
    labels = folder / "MUSIC_solo_videos.json"
    return read_music_solo(folder / "solo", labels, pairs, **kwargs)


# --- MUSIC ----------------------------------------------------------------------


def test_music_is_read_by_seconds(solo):
    manifest = read(solo)
    assert [r.moment_id for r in manifest.records] == [
        f"{name}_0_1000/{second:03d}" for name in (FLUTE, CELLO) for second in range(3)
    ]
    record = manifest.records[-1]
    assert (record.video_id, record.start, record.split) == (CELLO, 2.0, "train")
    assert record.labels == {"class": "cello"}
    assert len(record.pictures) == 4  # 63, 70, 77, 84: every seventh of 60 to 89
    found = reasons(manifest)
    assert found["vanished_0_1000"] == "listed in solo_training.txt but not there"
    assert "NAME.flac NAME.mp4" in found["solo_training.txt:4"]
    assert missing_videos(manifest) == ["vanished_0_1000"]
    assert manifest.classes("class") == ["cello", "flute"]
    assert manifest.seconds == 6.0


def test_pictures_have_their_times_at_any_frame_rate(solo):
    for record in read(solo).records:
        rate = 30 if record.video_id == CELLO else 25
        numbers = [int(os.path.basename(p)[:5]) for p in record.pictures]
        np.testing.assert_allclose(record.times, np.array(numbers) / rate, atol=1e-3)


def test_music_without_lists_pictures_or_labels(solo):
    name = "unlisted_0_1000"
    write_cut_video(solo / "solo", name, seconds=1)
    write_cut_video(solo / "solo", "vanished_0_1000", seconds=2, pictures=False)
    empty = solo / f"solo/audio_frames/{CELLO}_0_1000/001.pkl"
    empty.write_bytes(b"")
    manifest = read(solo, pairs=None, split=None)
    assert len(manifest.records) == 5
    assert all(r.split is None for r in manifest.records)
    assert reasons(manifest) == {
        name: "is of no class in the labels",
        "vanished_0_1000/000": "has no pictures",
        "vanished_0_1000/001": "has no pictures",
        f"{CELLO}_0_1000/001": "its sound is empty",
    }


def test_music_takes_the_folder_that_the_cutting_script_writes(solo):
    (solo / "solo/audio_frames").rename(solo / "solo/wav_frames")
    folder = solo / f"solo/wav_frames/{CELLO}_0_1000"
    (folder / "000.pkl").unlink()
    samples = write_wave(folder / "000.wav", hertz=440)
    record = next(r for r in read(solo).records if r.video_id == CELLO)
    sample = read_moment(record, size=32, picture=1)
    assert sample["frame"].shape == (32, 32, 3)
    assert abs(int(sample["frame"].mean()) - 17) <= 1
    np.testing.assert_array_equal(sample["audio"], samples / np.float32(32768))
    assert sample["sample_rate"] == 16000


def test_duets_are_read_the_same_way(solo):
    labels = {"videos": {"flute violin": [FLUTE]}}
    write(solo / "MUSIC_duet_videos.json", json.dumps(labels))
    manifest = read_music_solo(solo / "solo", solo / "MUSIC_duet_videos.json")
    assert manifest.classes("class") == ["flute violin"]


def test_music_refuses_what_is_missing(solo):
    with pytest.raises(ValueError, match=r"other\.txt is missing"):
        read(solo, "other.txt")
    with pytest.raises(ValueError, match="neither audio_frames nor wav_frames"):
        read_music_solo(solo, solo / "MUSIC_solo_videos.json")
    write(solo / "labels.json", '{"cello": []}')
    with pytest.raises(ValueError, match='no "videos" by class'):
        read_music_solo(solo / "solo", solo / "labels.json")


def test_moments_survive_a_file(solo):
    manifest = replace(read(solo), notes=["a note"], other_files=3)
    manifest.save(solo / "manifest.json")
    assert MomentManifest.load(solo / "manifest.json") == manifest


# --- moments that cannot be read ---------------------------------------------------


def test_damaged_files_are_named(solo):
    record = read(solo).records[0]
    assert read_moment(record, 16)["log_mel"].shape == (201, 64)
    with open(record.sound, "wb") as file:
        file.write(b"\x80\x04nonsense")
    with pytest.raises(MediaError, match=r"000\.pkl: is no pickle of arrays"):
        read_moment(record, 16)
    with open(record.pictures[0], "w") as file:
        file.write("no picture")
    with pytest.raises(MediaError, match=r"00000\.jpg: cannot be read"):
        read_moment(record, 16)
    with pytest.raises(MediaError, match="no stems"):
        read_stems(record)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_pickles_of_arrays_are_read(tmp_path, protocol):
    content = {"a": log_mel(3), "b": ["x", 1], "c": np.arange(3)[::-1], "d": np.int8(4)}
    write_pickle(tmp_path / "a.pkl", content, protocol)
    again = read_array_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(again["a"], content["a"])
    np.testing.assert_array_equal(again["c"], [2, 1, 0])
    assert again["b"] == ["x", 1] and again["d"] == 4


def test_pickles_of_older_numpy_are_read(tmp_path):
    content = pickle.dumps(log_mel(3), 2)
    assert b"numpy._core" in content
    content = content.replace(b"numpy._core", b"numpy.core")
    (tmp_path / "a.pkl").write_bytes(content)
    np.testing.assert_array_equal(read_array_pickle(tmp_path / "a.pkl"), log_mel(3))


class Harmful:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickles_run_nothing(tmp_path):
    write_pickle(tmp_path / "a.pkl", [Harmful(tmp_path / "harm")])
    with pytest.raises(MediaError, match="no pickle of arrays"):
        read_array_pickle(tmp_path / "a.pkl")
    assert not (tmp_path / "harm").exists()
    with pytest.raises(MediaError, match="cannot be read"):
        read_array_pickle(tmp_path / "none.pkl")


# --- times ------------------------------------------------------------------------


@given(st.sampled_from(COMMON_RATES[:12]), st.integers(5, 300), st.integers(1, 9))
def test_frame_rates_are_found_from_numbers(rate, seconds, step):
    numbers = range(0, int(seconds * rate), step)
    placed = [(int(n / rate), n) for n in numbers]
    found = frame_rate(placed)
    for second, number in placed:
        time = frame_time(second, number, found)
        assert second <= time < second + 1
        assert abs(time - number / rate) <= 1 / 3
    if seconds > 100 and step == 1:
        assert abs(found - rate) < 0.1


def test_odd_and_contradicting_numbers_still_have_times():
    assert frame_rate([]) == 30.0
    assert frame_rate([(0, 0), (0, 7)]) == 30.0
    assert frame_rate([(100, 1733), (101, 1750)]) == pytest.approx(17.24, abs=0.1)
    assert 9 < frame_rate([(1, 10), (1, 500), (2, 25)]) < 30
    assert frame_time(13, 411, 30.0) == pytest.approx(13.7)
    assert frame_time(13, 500, 30.0) < 14


# --- boxes ------------------------------------------------------------------------


def entry(category, *normbox, name="category_id"):
    return {"box": [0, 0, 1, 1], "normbox": list(normbox), name: category}


def write_boxes(path, frames):
    content = {k: {"bbox": v, "wdith": 640, "height": 360} for k, v in frames.items()}
    write(path, json.dumps(content))


def test_boxes_are_matched_by_time_and_not_by_number(solo):
    # The set's frames are of 30 frames a second; the copy of the flute has 25.
    keys = [f"{FLUTE}_0_1000/frame_{s:03d}/{{:05d}}.jpg" for s in range(3)]
    frames = {
        keys[0].format(7): [],
        keys[1].format(35): [entry(12, 0.5, 0.1, 0.25, 0.4)],
        keys[2].format(63): [entry(12, 0, 0, 0.5, 1), entry(1, 0.5, 0, 0.6, 1)],
        keys[2].format(84): [entry(12, 0, 0, 0.5, 1)],
        "absent_0_1000/frame_001/00030.jpg": [],
        "nonsense": [],
        f"{FLUTE}_0_1000/frame_001/00036.jpg": [entry(2, 0, 0, 1, 1)],
        f"{FLUTE}_0_1000/frame_001/00037.jpg": [entry(1, 0, 0, 1)],
    }
    write_boxes(solo / "solotest.json", frames)
    boxes = read_csol_boxes(solo / "solotest.json")
    times = [f.time for f in boxes.videos[FLUTE]]
    np.testing.assert_allclose(times, [7 / 30, 35 / 30, 63 / 30, 84 / 30], atol=1e-3)
    assert [r["path"] for r in boxes.rejects] == [
        "nonsense",
        f"{FLUTE}_0_1000/frame_001/00036.jpg",
        f"{FLUTE}_0_1000/frame_001/00037.jpg",
    ]
    frame = boxes.nearest(FLUTE, 1.2)
    assert frame.labels == ("flute",)
    np.testing.assert_allclose(frame.boxes, [[0.1, 0.5, 0.5, 0.75]])
    two = boxes.nearest(FLUTE, 2.05)
    assert two.labels == ("flute", "cello")
    assert two.boxes[1].tolist() == [0, 0.5, 1, 1]  # kept within the picture
    assert boxes.nearest(FLUTE, 0.2).boxes.shape == (0, 4)
    assert boxes.nearest(FLUTE, 1.5) is None
    assert boxes.nearest("nobody", 1.0) is None

    matches, rejects = boxes.match(read(solo))
    assert {m.record.video_id for m in matches} == {FLUTE}
    for match in matches:
        time = match.record.times[match.picture]
        assert abs(match.frame.time - time) <= 0.2
        alone = match.moment
        assert alone.times == (time,) and len(alone.pictures) == 1
        assert len(alone.boxes) == len(alone.box_sounding) == len(match.frame.labels)
    assert rejects[0]["path"] == "absent"
    assert rejects[0]["reason"] == "listed in solotest.json but not there"
    unmatched = [r for r in rejects if "within 0.2 s" in r["reason"]]
    pictures = sum(len(r.pictures) for r in read(solo).records if r.video_id == FLUTE)
    assert len(matches) + len(unmatched) == pictures
    assert len(matches) >= 6 and unmatched


def test_audioset_boxes_are_for_whole_seconds(tmp_path):
    frames = {
        "8LYWfpPUokc/3": [entry(2, 0.5, 0.5, 0.1, 0.1, name="category")],
        "8LYWfpPUokc/4": [],
    }
    write_boxes(tmp_path / "audioset_box.json", frames)
    boxes = read_csol_boxes(tmp_path / "audioset_box.json")
    assert boxes.nearest("8LYWfpPUokc", 3.0).labels == ("02",)
    assert boxes.nearest("8LYWfpPUokc", 3.99).labels == ("02",)
    assert boxes.nearest("8LYWfpPUokc", 4.01).labels == ()
    assert boxes.nearest("8LYWfpPUokc", 5.2) is None
    named = read_csol_boxes(tmp_path / "audioset_box.json", classes=["a", "b", "drum"])
    assert named.nearest("8LYWfpPUokc", 3.5).labels == ("drum",)


def test_boxes_refuse_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match=r"solotest\.json is missing"):
        read_csol_boxes(tmp_path / "solotest.json")
    write(tmp_path / "solotest.json", "[]")
    with pytest.raises(ValueError, match="no object with entries"):
        read_csol_boxes(tmp_path / "solotest.json")


# --- AudioSet-instrument -------------------------------------------------------------


def test_audioset_lists_are_pickles_or_text(tmp_path):
    for name in ("8LYWfpPUokc", "a_1_2345678"):
        write_cut_video(tmp_path / "set", name, seconds=1)
    ids = ["8LYWfpPUokc", "a_1_2345678", "gone", "unlabelled"]
    write_cut_video(tmp_path / "set", "unlabelled", seconds=1)
    write_pickle(tmp_path / "single_train.pkl", ids)
    vectors = {ids[0]: np.eye(3)[2], ids[1]: np.array([1, 0, 1]), "gone": np.eye(3)[0]}
    write_pickle(tmp_path / "single_train_label.pkl", vectors)
    manifest = read_audioset_instruments(
        tmp_path / "set",
        tmp_path / "single_train.pkl",
        classes=["bell", "drum", "gong"],
    )
    assert {r.video_id: r.labels["class"] for r in manifest.records} == {
        "8LYWfpPUokc": "gong",
        "a_1_2345678": "bell+gong",
    }
    assert missing_videos(manifest) == ["gone"]
    assert reasons(manifest)["unlabelled"] == "is of no class in the labels"
    write(tmp_path / "list.txt", "8LYWfpPUokc\n")
    manifest = read_audioset_instruments(
        tmp_path / "set",
        tmp_path / "list.txt",
        labels=tmp_path / "single_train_label.pkl",
        split="val",
    )
    assert [(r.labels["class"], r.split) for r in manifest.records] == [("02", "val")]
    with pytest.raises(ValueError, match=r"list_label\.pkl: cannot be read"):
        read_audioset_instruments(tmp_path / "set", tmp_path / "list.txt")
    write_pickle(tmp_path / "single_train.pkl", {})
    with pytest.raises(ValueError, match="no list with entries"):
        read_audioset_instruments(tmp_path / "set", tmp_path / "single_train.pkl")


# --- synthetic mixtures -----------------------------------------------------------


def write_mixture(folder, name, picture=None, boxes=None):
    write_pickle(folder / f"audio/{name}.pkl", log_mel())
    write_picture(folder / f"video/{picture or name}.jpg")
    if boxes is not None:
        (folder / "box").mkdir(exist_ok=True)
        np.save(folder / f"box/{picture or name}.npy", np.array(boxes))


def test_music_synthetic_is_read_in_its_layout(tmp_path):
    for name in ("000", "001"):
        write_mixture(tmp_path / "train/train", name)
    rows = [[0, 0, 0.5, 0.5, 3], [0.5, 0.25, 0.5, 0.75, 12]]
    write_mixture(tmp_path / "test1", "b", boxes=rows)
    write_mixture(tmp_path / "test1", "a", boxes=[[0, 0, 1, 1, 99]])
    write_mixture(tmp_path / "test1", "c", boxes=[[0, 0, 1]])
    write_mixture(tmp_path / "test1", "d")
    write_pickle(tmp_path / "test1/audio/lone.pkl", log_mel())
    manifest = read_synthetic_mixtures(tmp_path)
    assert [r.moment_id for r in manifest.split("train")] == [
        "train/train/000",
        "train/train/001",
    ]
    assert manifest.split("train")[0].labels == {}
    (record,) = manifest.split("test")
    assert record.moment_id == "test1/b"
    assert record.labels == {"class": "acoustic_guitar+flute"}
    assert record.boxes == ((0.0, 0.0, 0.5, 0.5), (0.25, 0.5, 1.0, 1.0))
    assert record.box_labels == ("acoustic_guitar", "flute")
    assert record.box_sounding == (True, True)
    found = reasons(manifest)
    assert found["test1/audio/lone.pkl"] == "has no picture of its name"
    assert "class 99 has no name" in found["test1/a"]
    assert "shape (1, 3)" in found["test1/c"]
    assert "No such file" in found["test1/d"]
    manifest.save(tmp_path / "manifest.json")
    assert MomentManifest.load(tmp_path / "manifest.json") == manifest


def test_unlike_names_are_paired_in_order(tmp_path):
    for number in range(3):
        write_mixture(tmp_path / "train/train", f"a{number}", picture=f"v{number}")
    manifest = read_synthetic_mixtures(tmp_path)
    pairs = [(r.sound[-6:], r.pictures[0][-6:]) for r in manifest.records]
    assert pairs == [(f"a{n}.pkl", f"v{n}.jpg") for n in range(3)]
    write_pickle(tmp_path / "train/train/audio/a9.pkl", log_mel())
    with pytest.raises(ValueError, match="4 sounds and 3 pictures"):
        read_synthetic_mixtures(tmp_path)
    with pytest.raises(ValueError, match="neither train/train/audio"):
        read_synthetic_mixtures(tmp_path / "train/train/audio")


def test_composites_are_written_as_published(tmp_path):
    world = OrchestraWorld("composite", size=64)
    counts = {"pretrain": 1, "train": 2, "test": 2}
    render_mixtures(world, tmp_path, counts, layout="csol")
    for place in ("pretrain", "train/train"):
        assert {p.name for p in (tmp_path / place).iterdir()} == {"audio", "video"}
    rows = np.load(tmp_path / "test1/box/00001.npy")
    plan = world.plan("test", 1)
    heard = [k for k, s in enumerate(plan["sources"]) if s["sounding"]]
    assert rows.shape == (len(heard), 5) and len(heard) < len(plan["sources"])
    manifest = read_synthetic_mixtures(tmp_path)
    assert not manifest.rejects
    assert {s: len(manifest.split(s)) for s in counts} == counts
    record = manifest.split("test")[1]
    assert record.labels == plan["labels"] and all(record.box_sounding)
    assert record.box_labels == tuple(plan["sources"][k]["class"] for k in heard)
    np.testing.assert_allclose(record.boxes, world.boxes(plan)[heard, 0], atol=1e-6)
    sample = read_moment(record, size=64)
    np.testing.assert_array_equal(sample["audio"], world.waveform(plan))
    assert np.abs(sample["frame"].astype(int) - world.frames(plan)[0]).mean() < 4
    # What is told of training samples is nothing.
    record = manifest.split("train")[1]
    assert (record.boxes, record.labels) == ((), {})
    with pytest.raises(ValueError, match="`layout` is 'music'"):
        render_mixtures(world, tmp_path, counts, layout="music")


def test_rendered_mixtures_are_read_with_all_their_truth(tmp_path):
    world = OrchestraWorld("unconstrained", size=64, num_off_screen=(1, 1))
    render_mixtures(world, tmp_path, {"train": 2, "test": 1})
    manifest = read_synthetic_mixtures(tmp_path)
    assert not manifest.rejects
    assert [len(manifest.split(s)) for s in ("train", "test")] == [2, 1]
    record, plan = manifest.split("train")[1], world.plan("train", 1)
    seen = [s for s in plan["sources"] if s["on_screen"]]
    assert record.labels == plan["labels"]
    assert record.box_labels == tuple(s["class"] for s in seen)
    assert record.box_sounding == tuple(s["sounding"] for s in seen)
    np.testing.assert_allclose(record.boxes, world.boxes(plan)[:, 0], atol=1e-6)
    sample = read_moment(record, size=64)
    np.testing.assert_array_equal(sample["audio"], world.waveform(plan))
    assert np.abs(sample["frame"].astype(int) - world.frames(plan)[0]).mean() < 4
    stems = read_stems(record)
    np.testing.assert_array_equal(stems["stems"], world.stems(plan))
    assert stems["on_screen"].tolist() == [True, True, False, False]
