import json

import numpy as np
import pytest
from moment_trees import log_mel, write_cut_video, write_pickle
from reader_results import write

from keras_avrep.data import (
    MediaError,
    by_video,
    fit_sound,
    moment_set,
    read_moment_folder,
    read_music_solo,
    read_synthetic_mixtures,
)
from keras_avrep.views import RandomMoment
from keras_avrep.worlds import OrchestraWorld, render_mixtures

NAMES = ["aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"]
SMALL = {"size": 16, "view_size": 8, "batch_size": 8}


@pytest.fixture
def root(tmp_path):
    """Three videos of four seconds, as waveforms."""
    for name in NAMES:
        write_cut_video(tmp_path / "solo", f"{name}_0_1000", seconds=4, waves=True)
    return tmp_path / "solo"


def set_of(root, **kwargs):
    rejected = []

    def on_reject(record, reason):
        rejected.append((record.moment_id, reason))

    records = read_music_solo(root).records
    options = {**SMALL, "on_reject": on_reject, **kwargs}
    sampler = options.pop("sampler", RandomMoment())
    return moment_set(records, sampler, **options), rejected


def seconds_of(batch):
    """The second that each sound is of, and the one that each picture is of."""
    spectra = np.abs(np.fft.rfft(batch["audio"]))
    hertz = spectra.argmax(axis=-1) * 16000 / batch["audio"].shape[1]
    shades = batch["frame"].mean(axis=(1, 2, 3))
    return np.rint(hertz).astype(int) - 200, ((shades - 10) / 30).astype(int)


def test_a_draw_is_a_moment_of_a_video_with_its_own_sound(root):
    moments, rejected = set_of(root)
    assert (moments.num_records, moments.batch_size, moments.epoch_steps) == (3, 3, 1)
    seen, pictures = set(), set()
    for index in range(12):
        batch = moments.batches[index]
        assert sorted(batch["record"].tolist()) == [0, 1, 2]
        heard, shown = seconds_of(batch)
        np.testing.assert_array_equal(heard, shown)
        seen |= set(heard.tolist())
        pictures |= set(batch["frame"][:, 0, 0, 0].tolist())
    assert seen == {0, 1, 2, 3} and len(pictures) > 8
    assert batch["frame"].shape == (3, 16, 16, 3) and batch["frame"].dtype == "uint8"
    assert batch["audio"].shape == (3, 16000) and batch["audio"].dtype == "float32"
    assert batch["has_audio"].all() and set(batch["sample_rate"].tolist()) == {16000}
    (once,) = moments.each_once()
    assert once["record"].tolist() == [0, 1, 2]
    assert once["frame"].shape == (3, 8, 8, 3)
    assert not rejected


def test_draws_are_a_function_of_seed_and_position(root):
    (first, _), (again, _), (other, _) = (set_of(root, seed=s) for s in (0, 0, 1))
    for name, array in first.batches[5].items():
        np.testing.assert_array_equal(again.batches[5][name], array)
    assert any(
        np.any(first.batches[i]["audio"] != other.batches[i]["audio"]) for i in range(4)
    )


def test_sounds_are_fitted_to_the_duration(root):
    whole, half, longer = (
        set_of(root, sampler=RandomMoment(seconds))[0].batches[0]["audio"]
        for seconds in (1.0, 0.5, 1.5)
    )
    np.testing.assert_array_equal(half, whole[:, 4000:12000])
    np.testing.assert_array_equal(longer[:, 4000:20000], whole)
    assert not longer[:, :4000].any() and not longer[:, 20000:].any()
    assert fit_sound(np.arange(5), 2).tolist() == [1, 2]
    assert fit_sound(np.arange(1, 3), 5).tolist() == [0, 1, 2, 0, 0]


def test_what_cannot_be_used_is_replaced_and_told_once(root):
    folder = root / f"audio_frames/{NAMES[1]}_0_1000"
    for second in range(4):
        (folder / f"{second:03d}.wav").write_bytes(b"no sound")
    (root / f"audio_frames/{NAMES[2]}_0_1000/002.wav").unlink()
    write_pickle(root / f"audio_frames/{NAMES[2]}_0_1000/002.pkl", log_mel())
    moments, rejected = set_of(root)
    found = [moments.batches[i]["record"].tolist() for i in range(20)]
    found += [batch["record"].tolist() for batch in moments.each_once()]
    assert 1 not in np.ravel(found) and {0, 2} == set(np.ravel(found))
    names = [name for name, _ in rejected]
    assert len(names) == len(set(names)) == 5
    said = dict(rejected)[f"{NAMES[2]}_0_1000/002"]
    assert "holds a spectrogram" in said and "cut the dataset again" in said


def test_of_spectrograms_alone_nothing_is_learned(tmp_path):
    write_cut_video(tmp_path, f"{NAMES[0]}_0_1000")
    moments, rejected = set_of(tmp_path)
    with pytest.raises(MediaError, match=r"None of the 1 videos.*holds a spectrogram"):
        moments.batches[0]
    assert len(rejected) == 1
    with pytest.raises(ValueError, match="`records` is empty"):
        moment_set([], RandomMoment())


# --- folders told by their layout -------------------------------------------------


def test_music_is_told_by_its_folders_and_labelled_where_it_can_be(root):
    manifest = read_moment_folder(root)
    assert len(manifest.records) == 12 and len(by_video(manifest.records)) == 3
    assert not manifest.label_names
    # A label file of other videos says nothing of these.
    others = {"videos": {"cello": ["eeeeeeeeeee"]}}
    write(root / "MUSIC_other_videos.json", json.dumps(others))
    assert len(read_moment_folder(root).records) == 12
    # Of two label files the one that knows more of the videos.
    solos = {"cello": NAMES[:1], "flute": NAMES[1:]}
    duets = {"cello flute": ["ddddddddddd", NAMES[0]]}
    write(root.parent / "MUSIC_duet_videos.json", json.dumps({"videos": duets}))
    write(root.parent / "MUSIC_solo_videos.json", json.dumps({"videos": solos}))
    assert read_moment_folder(root).classes("class") == ["cello", "flute"]
    (root / "video_frames").rename(root / "frames")
    assert read_moment_folder(root) is None


def test_mixtures_are_told_by_their_folders(tmp_path):
    world = OrchestraWorld("duet", size=32)
    render_mixtures(world, tmp_path / "mixtures", {"pretrain": 2, "train": 2})
    manifest = read_moment_folder(tmp_path / "mixtures")
    assert len(manifest.split("pretrain")) == len(manifest.split("train")) == 2
    # Samples of two splits may have the same name.
    assert [len(video) for video in by_video(manifest.records)] == [1] * 4
    assert manifest.records == read_synthetic_mixtures(tmp_path / "mixtures").records
    # A class of videos called audio is none.
    write(tmp_path / "videos/train/audio/a.mp4", "")
    assert read_moment_folder(tmp_path / "videos") is None
    assert read_moment_folder(tmp_path / "nowhere") is None
