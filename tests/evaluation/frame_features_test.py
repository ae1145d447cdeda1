import numpy as np
import pytest
from media_files import write_ramp

from keras_avrep.data import MediaError, scan_folder
from keras_avrep.evaluation import frame_features


class Brightness:
    def per_frame(self, frames):
        return frames.mean(axis=(1, 2, 3))[:, None].astype("float32")


def test_every_frame_of_a_file_has_features(tmp_path):
    write_ramp(tmp_path / "a.mp4", count=12)
    (record,) = scan_folder(tmp_path).records
    found = frame_features(Brightness(), record, 16)
    assert found.shape == (12, 1)
    np.testing.assert_allclose(found[:, 0], 10 * np.arange(12), atol=8)
    (tmp_path / "a.mp4").write_text("no longer a video")
    with pytest.raises(MediaError):
        frame_features(Brightness(), record, 16)
