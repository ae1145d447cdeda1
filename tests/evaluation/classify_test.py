import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.data import scan_folder, write_video
from keras_avrep.evaluation import classify_videos, video_mean_average_precision
from keras_avrep.worlds import ScenesWorld, render_world

CLIP = {"num_clips": 2, "num_frames": 2, "stride": 1, "size": 16}


def test_the_class_and_its_probability_follow_from_the_mean_logits(tmp_path):
    render_world(ScenesWorld(size=24, num_frames=6), tmp_path, {"test": 3})
    records = scan_folder(tmp_path).records
    (tmp_path / "test" / "00001.mp4").write_text("no longer a video")
    video = keras.Input((2, 16, 16, 3))
    constant = ops.mean(video, axis=(1, 2, 3, 4))[:, None] * 0
    model = keras.Model(video, constant + np.log([0.1, 0.6, 0.3]).astype("float32"))
    found = classify_videos(model, records, ["a", "b", "c"], **CLIP)
    assert found.paths == ["test/00000.mp4", "test/00002.mp4"]
    assert found.classes == ["b", "b"]
    np.testing.assert_allclose(found.probabilities, 0.6, atol=1e-6)
    assert [r["path"] for r in found.rejects] == ["test/00001.mp4"]
    with pytest.raises(ValueError, match="2 names"):
        classify_videos(model, records, ["a", "b"], **CLIP)


def test_mean_average_precision_counts_the_videos_that_can_be_decoded(tmp_path):
    for number, gray in enumerate((40, 120, 200)):
        frames = np.full((6, 32, 32, 3), gray, "uint8")
        write_video(tmp_path / f"{number}.mp4", frames, 12)
    records = scan_folder(tmp_path).records
    (tmp_path / "2.mp4").write_text("no longer a video")
    video = keras.Input((2, 16, 16, 3))
    brightness = ops.mean(video, axis=(1, 2, 3, 4))[:, None]
    model = keras.Model(video, ops.concatenate([brightness, -brightness], axis=-1))
    labels = np.array([[0, 0], [1, 1], [1, 0]])
    found = video_mean_average_precision(model, records, labels, **CLIP)
    # The bright one is ranked first by one class and last by the other.
    np.testing.assert_allclose(found["average_precision"], [1.0, 0.5])
    assert found["mean_average_precision"] == 0.75
    assert [r["path"] for r in found["rejects"]] == ["2.mp4"]
    with pytest.raises(ValueError, match="2 rows"):
        video_mean_average_precision(model, records, labels[:2], **CLIP)
