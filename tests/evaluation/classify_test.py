import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.data import scan_folder
from keras_avrep.evaluation import classify_videos
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
