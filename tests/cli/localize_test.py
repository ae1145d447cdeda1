"""`keras-avrep localize` on real videos; a stand-in knows what CSOL would learn."""

import json

import csol_run
import numpy as np
import pytest
import stand_in_localiser
from media_files import damage_sound, write_ramp
from sound_files import click_time, clicks

from keras_avrep.cli.localize import localize_to_files
from keras_avrep.cli.main import main
from keras_avrep.data import (
    MediaError,
    probe,
    read_waveform,
    stream_timed_frames,
    write_video,
)

CLIP = {"size": 32, "duration": 1.0, "sample_rate": 16000}
CLIP |= {"cluster_names": ["cello", "flute", "tuba"]}


@pytest.fixture(scope="module")
def model():
    return stand_in_localiser.build()


def write_scene(path, seconds=3, fps=10, height=120, width=214, **sound):
    """Gray, with red at the left and blue at the right."""
    frames = np.full((seconds * fps, height, width, 3), 70, np.uint8)
    frames[:, 30:90, 20:80] = [255, 0, 0]
    frames[:, 30:90, 150:200] = [0, 0, 255]
    write_video(path, frames, fps, **sound)
    return path


def test_the_video_its_maps_and_its_boxes(model, tmp_path, capsys):
    video = write_scene(
        tmp_path / "my.mp4", audio=clicks([2.15], 3, 44100, 2), sample_rate=44100
    )
    out = tmp_path / "drawn" / "sounding.mp4"
    localize_to_files(model, CLIP, video, out)
    info = probe(out)
    assert (info.width, info.height, info.has_audio) == (214, 120, True)
    assert click_time(read_waveform(out)[0]) == pytest.approx(2.15, abs=0.003)
    before, after = (
        [np.stack(x) for x in zip(*stream_timed_frames(p), strict=True)]
        for p in (video, out)
    )
    np.testing.assert_allclose(*(a.astype(float) for a in (before[0], after[0])))
    # Only near the click something is drawn; then red is named cello, blue tuba.
    changed = np.abs(after[1].astype(int) - before[1]).mean(axis=(1, 2, 3)) > 4
    assert np.flatnonzero(changed).tolist() == list(range(17, 30))
    with np.load(out.with_suffix(".npz")) as content:
        assert content["class_maps"].shape == (30, 8, 8, 3)
        assert content["class_maps"].dtype == content["sounding_maps"].dtype == "f2"
        assert content["names"].tolist() == CLIP["cluster_names"]
        np.testing.assert_allclose(content["times"], np.arange(30) / 10, atol=1e-9)
    told = json.loads(out.with_suffix(".json").read_text())
    assert told["has_audio"] and told["video"] == "my.mp4"
    assert not any("heard" in frame for frame in told["frames"])
    assert [bool(f["boxes"]) for f in told["frames"]] == changed.tolist()
    boxes = {b["name"]: b["box"] for b in told["frames"][20]["boxes"]}
    np.testing.assert_allclose(boxes["cello"], [0.25, 0.1, 0.75, 0.37], atol=0.13)
    np.testing.assert_allclose(boxes["tuba"], [0.25, 0.7, 0.75, 0.93], atol=0.13)
    assert "cello, tuba" in capsys.readouterr().out


def test_a_video_without_sound_is_said_and_drawn_without_regions(
    model, tmp_path, capsys
):
    video = write_scene(tmp_path / "my.mp4", seconds=1)
    out = tmp_path / "out.mp4"
    localize_to_files(model, CLIP, video, out)
    assert "no sound track" in capsys.readouterr().out
    told = json.loads(out.with_suffix(".json").read_text())
    assert not told["has_audio"] and not any(f["boxes"] for f in told["frames"])
    before, after = (
        np.stack([i for _, i in stream_timed_frames(p)]) for p in (video, out)
    )
    assert np.abs(after.astype(int) - before).mean() < 4
    assert not probe(out).has_audio


def test_sparse_looks_hold_and_thresholds_are_kept(model, tmp_path):
    video = write_scene(tmp_path / "my.mp4", audio=clicks([1.2], 3, 16000))
    out = tmp_path / "out.mkv"
    clip = {**CLIP, "cluster_names": None}
    localize_to_files(model, clip, video, out, every=1.0, level=0.4)
    told = json.loads(out.with_suffix(".json").read_text())
    assert [f["time"] for f in told["frames"]] == [0, 1, 2]
    assert told["threshold"] == 0.4
    (named,) = {b["name"] for b in told["frames"][1]["boxes"]}
    assert named is None
    before, after = (
        np.stack([i for _, i in stream_timed_frames(p)]) for p in (video, out)
    )
    changed = np.abs(after.astype(int) - before).mean(axis=(1, 2, 3)) > 4
    assert np.flatnonzero(changed).tolist() == list(range(10, 20))


def test_what_is_heard_is_written_whether_it_is_seen_or_not(tmp_path, capsys):
    model = stand_in_localiser.build(with_scores=True)
    out = tmp_path / "out.mp4"
    sound = write_scene(tmp_path / "my.mp4", seconds=1, audio=clicks([0.5], 1, 16000))
    localize_to_files(model, CLIP, sound, out)
    # The stand-in takes gray for all of them; only two are drawn.
    assert "heard, seen or not: cello, flute, tuba" in capsys.readouterr().out
    with np.load(out.with_suffix(".npz")) as content:
        assert content["audible_scores"].shape == (10, 3)
        assert content["audio_distribution"].dtype == "f2"
        scores = content["audible_scores"][4].astype(float)
    told = json.loads(out.with_suffix(".json").read_text())
    heard = {one["name"]: one["score"] for one in told["frames"][4]["heard"]}
    assert heard.keys() == set(CLIP["cluster_names"])
    assert heard["cello"] == pytest.approx(scores[0], abs=1e-3)
    silent = write_scene(tmp_path / "silent.mp4", seconds=1)
    localize_to_files(model, CLIP, silent, out)
    told = json.loads(out.with_suffix(".json").read_text())
    assert all(frame["heard"] == [] for frame in told["frames"])


def test_nothing_heard_says_how_near_the_surest_was(tmp_path, capsys):
    model = stand_in_localiser.build(with_scores=True)
    kernel, bias = model.get_layer("colours").get_weights()
    bias[:] = [-30, -12, -30]
    model.get_layer("colours").set_weights([kernel, bias])
    sound = write_scene(tmp_path / "my.mp4", seconds=1, audio=clicks([0.5], 1, 16000))
    localize_to_files(model, CLIP, sound, tmp_path / "out.mp4")
    surest = CLIP["cluster_names"][1]
    said = capsys.readouterr().out
    assert f"heard, seen or not: nothing for sure; {surest} reaches 0.0" in said
    silent = write_scene(tmp_path / "silent.mp4", seconds=1)
    localize_to_files(model, CLIP, silent, tmp_path / "out.mp4")
    assert "heard, seen or not: nothing\n" in capsys.readouterr().out


def test_interruption_and_bad_sound_leave_nothing_half_written(tmp_path, model):
    video = write_scene(tmp_path / "my.mp4", seconds=1, audio=clicks([0.5], 1, 16000))

    class Interrupting:
        input, output = model.input, model.output

        def predict_on_batch(self, inputs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        localize_to_files(Interrupting(), CLIP, video, tmp_path / "out.mp4")
    damage_sound(video)
    with pytest.raises(MediaError, match="sound"):
        localize_to_files(model, CLIP, video, tmp_path / "out.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["my.mp4"]


def test_mistakes_are_one_sentence(tmp_path, capsys):
    def told(*arguments):
        assert main(["localize", *arguments]) == 2
        error = capsys.readouterr().err.strip()
        assert len(error.splitlines()) == 1
        return error

    video, out = str(write_ramp(tmp_path / "a.mp4", count=4)), str(tmp_path / "b.mp4")
    preset = ["--preset", "dclr_tiny_scenes"]
    asked = [*preset, "--video", video, "--out", out]
    assert "holds a DCLR, which does not say where it sounds" in told(*asked)
    assert "no such file" in told(*preset, "--video", "nowhere.mp4", "--out", out)
    assert "must end in one of" in told(*preset, "--video", video, "--out", "b.gif")
    assert "the video itself" in told(*preset, "--video", video, "--out", video)
    assert "--threshold is 2.0" in told(*asked, "--threshold", "2")
    assert "neither a preset" in told("--preset", "nothing", *asked[2:])


def test_a_run_of_csol_draws_into_a_video(tmp_path, capsys):
    run = csol_run.write_run(tmp_path / "run", ["cello", None, "tuba"])
    video = write_scene(tmp_path / "my.mp4", seconds=1, audio=clicks([0.5], 1, 16000))
    out = tmp_path / "out.mp4"
    asked = ["--preset", str(run), "--video", str(video), "--out", str(out)]
    levels = ["--threshold", "0.1", "--sounding-threshold", "0"]
    assert main(["localize", *asked, *levels]) == 0
    # It has learned nothing, so everything is everywhere.
    assert "heard and seen: cello, cluster 1, tuba" in capsys.readouterr().out
    told = json.loads(out.with_suffix(".json").read_text())
    assert main(["localize", *asked]) == 0
    assert "lower --threshold" in capsys.readouterr().out
    assert len(told["frames"]) == 10 and len(told["frames"][0]["boxes"]) == 3
    with np.load(out.with_suffix(".npz")) as content:
        # 32 x 64 pixels: the proportion of the video.
        assert content["class_maps"].shape == (10, 8, 16, 3)
        np.testing.assert_allclose(content["class_maps"].sum(-1), 1, atol=2e-3)
