from pathlib import Path

import numpy as np
import pytest
from media_files import damage_sound, write_ramp

from keras_avrep.data import (
    BatchFeed,
    MediaError,
    clip_dataset,
    prepare_videos,
    read_sample,
    read_waveform,
    scan_folder,
)
from keras_avrep.views import RandomClips, RandomMoment, UniformClips


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for index in range(6):
        write_ramp(root / f"{index}.mp4", count=24)
    return scan_folder(root).records


SAMPLER = RandomClips(num_clips=2, num_frames=4, stride=2)


def test_batches_hold_clips_in_order_with_a_frozen_frame(records):
    batch = clip_dataset(records, SAMPLER, size=16, batch_size=3)[0]
    assert batch["video"].shape == (3, 2, 4, 16, 16, 3)
    assert batch["static"].shape == (3, 2, 16, 16, 3)
    assert batch["video"].dtype == np.uint8
    levels = batch["video"].mean(axis=(3, 4, 5))
    # Two frames of the ramp lie between neighbours of the clip.
    np.testing.assert_allclose(np.diff(levels, axis=2), 20, atol=4)
    frozen = batch["static"].mean(axis=(2, 3, 4)) - levels[:, :, 0]
    assert (frozen > -12).all()
    assert (frozen < 10 * 8 + 12).all()


def test_a_batch_is_a_function_of_seed_and_position(records):
    first = clip_dataset(records, SAMPLER, size=16, batch_size=2, seed=5)
    again = clip_dataset(records, SAMPLER, size=16, batch_size=2, seed=5)
    other = clip_dataset(records, SAMPLER, size=16, batch_size=2, seed=6)
    for name in first[7]:
        np.testing.assert_array_equal(first[7][name], again[7][name])
    assert any((first[i]["video"] != other[i]["video"]).any() for i in range(3))


def test_an_epoch_has_every_video_once_in_a_new_order(records):
    dataset = clip_dataset(records, SAMPLER, size=16, batch_size=2)
    epochs = [
        np.concatenate([dataset[i]["record"] for i in range(e * 3, e * 3 + 3)])
        for e in range(4)
    ]
    assert all(sorted(e.tolist()) == list(range(6)) for e in epochs)
    assert len({tuple(e.tolist()) for e in epochs}) > 1


def test_the_feed_resumes_at_a_position(records):
    dataset = clip_dataset(records, SAMPLER, size=16, batch_size=2)
    feed = BatchFeed(dataset, start=4, stop=6)
    batches = list(feed)
    assert len(batches) == 2
    assert feed.position == 6
    assert feed.wait_seconds > 0
    np.testing.assert_array_equal(batches[1]["video"], dataset[5]["video"])


def test_a_video_that_fails_is_replaced_and_reported(tmp_path):
    for index in range(3):
        write_ramp(tmp_path / f"{index}.mp4", count=12)
    found = scan_folder(tmp_path).records
    (tmp_path / "1.mp4").write_bytes(b"gone bad since")
    rejected = []
    dataset = clip_dataset(
        found,
        SAMPLER,
        size=16,
        batch_size=3,
        on_reject=lambda record, reason: rejected.append((record.video_id, reason)),
    )
    for index in range(3):
        assert sorted(dataset[index]["record"].tolist()) == [0, 2, 2]
    assert [name for name, _ in rejected] == ["1.mp4"]
    for index in range(3):
        (tmp_path / f"{index}.mp4").unlink()
    with pytest.raises(MediaError, match="None of the 3"):
        dataset[0]


def test_too_few_videos_are_an_error(records):
    with pytest.raises(ValueError, match="batch_size"):
        clip_dataset(records, SAMPLER, batch_size=7)
    with pytest.raises(ValueError, match="records"):
        clip_dataset([], SAMPLER)


def test_prepared_copies_are_small_and_keep_labels(tmp_path):
    source, target = tmp_path / "videos", tmp_path / "small"
    for name in ("run/a.mp4", "jump/b.avi"):
        codec = "mpeg4" if name.endswith("avi") else "libx264"
        write_ramp(source / name, height=96, width=128, codec=codec)
    manifest = scan_folder(source)
    assert prepare_videos(manifest, target, size=32) == []
    copies = scan_folder(target)
    assert copies.rejects == []
    assert [r.labels for r in copies.records] == [r.labels for r in manifest.records]
    assert {(r.height, r.width) for r in copies.records} == {(32, 42)}
    times = UniformClips(1, 4, 2)(manifest.records[0])
    before = read_sample(manifest.records[0], times, 24)["video"]
    after = read_sample(copies.records[0], times, 24)["video"]
    np.testing.assert_allclose(
        before.mean(axis=(2, 3, 4)), after.mean((2, 3, 4)), atol=6
    )
    stamps = {r.path: Path(r.path).stat().st_mtime_ns for r in copies.records}
    prepare_videos(manifest, target, size=32)
    assert stamps == {p: Path(p).stat().st_mtime_ns for p in stamps}


def test_long_videos_are_cut(tmp_path):
    write_ramp(tmp_path / "videos/a.mp4", count=24)
    manifest = scan_folder(tmp_path / "videos")
    prepare_videos(manifest, tmp_path / "small", segment_seconds=0.5)
    copies = scan_folder(tmp_path / "small").records
    assert [r.num_frames for r in copies] == [6, 6, 6, 6]


class SoundingMoments:
    """A second of sound at a drawn place, and a frame from its middle."""

    def __init__(self, spans=None):
        self.spans = spans

    def __call__(self, record, rng):
        start = rng.uniform(0, record.duration - 1.0, self.spans)
        return {
            "frame": start + 0.5,
            "audio": {"start": start, "duration": 1.0, "sample_rate": 8000},
            "numbers": {"place": np.float32(start)},
        }


@pytest.mark.parametrize("spans", [None, 2])
def test_samples_bring_the_sound_of_their_moment(tmp_path, spans):
    for index in range(4):
        # Louder by the second, as the picture is lighter: 10 levels a frame.
        sound = np.repeat([0.1, 0.3], 8000).astype(np.float32)
        audio = None if index == 2 else sound
        write_ramp(tmp_path / f"{index}.mkv", audio=audio, sample_rate=8000)
    dataset = clip_dataset(
        scan_folder(tmp_path).records, SoundingMoments(spans), size=16, batch_size=4
    )
    batch, shape = dataset[0], (4,) if spans is None else (4, spans)
    assert batch["frame"].shape == (*shape, 16, 16, 3)
    assert batch["audio"].shape == (*shape, 8000)
    assert batch["audio"].dtype == np.float32
    assert batch["has_audio"].dtype == bool
    np.testing.assert_array_equal(batch["has_audio"], batch["record"] != 2)
    assert batch["sample_rate"].tolist() == [8000] * 4
    assert not batch["audio"][batch["record"] == 2].any()
    heard = batch["audio"][batch["has_audio"]]
    place = batch["place"][batch["has_audio"]]
    # The louder half begins at second 1 of the video.
    np.testing.assert_allclose(heard.mean(axis=-1), 0.1 + 0.2 * place, atol=0.02)
    again = dataset[0]
    np.testing.assert_array_equal(again["audio"], batch["audio"])


def test_sound_alone_needs_no_picture(tmp_path):
    write_ramp(tmp_path / "a.mp4", audio=np.full(32000, 0.2, np.float32))
    record = scan_folder(tmp_path).records[0]
    times = {"audio": {"start": 0.5, "duration": 0.25}}
    sample = read_sample(record, times, 16)
    assert sorted(sample) == ["audio", "has_audio", "sample_rate"]
    assert sample["audio"].shape == (4000,)
    assert "audio" in times


def tones(places, seconds=2.0, rate=44100):
    """Silence with bursts of 440 Hz, a tenth of a second each, in two channels."""
    time = np.arange(round(seconds * rate)) / rate
    inside = np.zeros(len(time), bool)
    for place in places:
        inside |= (time >= place) & (time < place + 0.1)
    sound = 0.5 * inside * np.sin(2 * np.pi * 440 * time)
    return np.stack([sound, sound], axis=1).astype(np.float32)


def bursts(waveform, rate=16000):
    """Seconds at which it gets loud."""
    frames = np.abs(waveform[: len(waveform) // 80 * 80]).reshape(-1, 80).max(axis=1)
    loud = np.concatenate([[False], frames > 0.25])
    return np.flatnonzero(~loud[:-1] & loud[1:]) * 80 / rate


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_prepared_copies_sound_in_time_with_the_picture(tmp_path, late):
    source = tmp_path / "videos/a.mov"
    write_ramp(
        source, count=24, audio=tones([0.4, 1.5]), sample_rate=44100, audio_start=late
    )
    write_ramp(tmp_path / "videos/silent.mp4", count=24)
    manifest = scan_folder(tmp_path / "videos")
    folders = {None: tmp_path / "whole", 1.0: tmp_path / "parts"}
    for seconds, folder in folders.items():
        assert prepare_videos(manifest, folder, size=32, segment_seconds=seconds) == []
    whole = scan_folder(folders[None]).records
    assert [r.has_audio for r in whole] == [True, False]
    found = bursts(read_waveform(whole[0].path, 0.0, 2.0)[0])
    np.testing.assert_allclose(found, [0.4 + late, 1.5 + late], atol=0.012)
    parts = [r for r in scan_folder(folders[1.0]).records if r.has_audio]
    assert len(parts) == 2
    for part, place in zip(parts, (0.4 + late, 0.5 + late), strict=True):
        found = bursts(read_waveform(part.path, 0.0, 1.0)[0])
        np.testing.assert_allclose(found, [place], atol=0.012)


def test_sound_that_cannot_be_decoded_is_left_out_and_said(tmp_path):
    path = tmp_path / "videos/a.mp4"
    damage_sound(write_ramp(path, count=24, audio=tones([0.4]), sample_rate=44100))
    (reject,) = prepare_videos(scan_folder(path.parent), tmp_path / "small", size=32)
    assert reject["path"] == "a.mp4"
    assert "sound was left out" in reject["reason"]
    (record,) = scan_folder(tmp_path / "small").records
    assert not record.has_audio and record.num_frames == 24


def test_random_moments_bring_a_frame_and_its_sound(tmp_path):
    write_ramp(tmp_path / "a.mp4", count=24, audio=tones([0.4]), sample_rate=44100)
    write_ramp(tmp_path / "b.mp4", count=24)
    records = scan_folder(tmp_path).records
    batch = clip_dataset(records, RandomMoment(0.5, 8000), size=16, batch_size=2)[0]
    assert batch["frame"].shape == (2, 16, 16, 3)
    assert batch["audio"].shape == (2, 4000)
    np.testing.assert_array_equal(batch["has_audio"], batch["record"] == 0)
