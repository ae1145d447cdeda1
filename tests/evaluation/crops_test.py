"""Squares that are cut out of whole frames at test time."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from keras_avrep.data import read_sample, scan_folder, write_video
from keras_avrep.evaluation import (
    classification_accuracy,
    classify_videos,
    embed_videos,
    spread_crops,
)
from keras_avrep.views import UniformClips

CLIP = {"num_clips": 2, "num_frames": 2, "stride": 1, "size": 16}


def numbered(height, width, clips=2, frames=3):
    """Clips whose pixels hold their row and column, and their clip."""
    rows, columns = np.mgrid[:height, :width]
    picture = np.stack([rows, columns, np.zeros_like(rows)], axis=-1)
    found = np.tile(picture, (clips, frames, 1, 1, 1))
    found[..., 2] = np.arange(clips)[:, None, None, None]
    return found.astype("uint8")


def corners(crops):
    """Row and column of the first pixel of each crop."""
    return [tuple(int(n) for n in crop[0, 0, 0, :2]) for crop in crops]


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (8, 20, [(0, 0), (0, 6), (0, 12)]),
        (20, 8, [(0, 0), (6, 0), (12, 0)]),
        (8, 8, [(0, 0)] * 3),
    ],
)
def test_three_crops_lie_along_the_longer_side(height, width, expected):
    crops = spread_crops(numbered(height, width), 8, 3)
    assert crops.shape == (6, 3, 8, 8, 3)
    assert corners(crops) == 2 * expected
    # Those of a clip are side by side.
    np.testing.assert_array_equal(crops[:, 0, 0, 0, 2], [0, 0, 0, 1, 1, 1])


def test_ten_crops_are_corners_and_centre_and_their_mirror_images():
    clips = numbered(10, 14, clips=1)
    crops = spread_crops(clips, 8, 10)
    assert crops.shape == (10, 3, 8, 8, 3)
    assert corners(crops[:5]) == [(0, 0), (0, 6), (2, 0), (2, 6), (1, 3)]
    np.testing.assert_array_equal(crops[5:], crops[:5, :, :, ::-1])


def test_one_crop_is_the_centre_and_of_its_size_the_whole():
    clips = numbered(8, 12)
    np.testing.assert_array_equal(spread_crops(clips, 8, 1), clips[:, :, :, 2:10])
    square = numbered(8, 8)
    np.testing.assert_array_equal(spread_crops(square, 8, 1), square)


def test_what_cannot_be_cut_is_named():
    with pytest.raises(ValueError, match="it must be one of"):
        spread_crops(numbered(8, 8), 8, 5)
    with pytest.raises(ValueError, match="8x12 pixels"):
        spread_crops(numbered(8, 12), 9, 3)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Wide videos, dark in the middle, bright at the left, gray at the right."""
    folder = tmp_path_factory.mktemp("wide")
    for name, shift in (("a", 0), ("b", 40)):
        frames = np.zeros((6, 32, 96, 3), "uint8")
        frames[:, :, :32] = 200 - shift
        frames[:, :, 64:] = 100
        (folder / name).mkdir()
        write_video(folder / name / "0.mp4", frames, 12)
    # Folders of one video each are no classes to a scan.
    return [
        replace(record, labels={"class": record.video_id[0]})
        for record in scan_folder(folder).records
    ]


class Brightness:
    """The mean of a clip, and what it was given."""

    def predict_on_batch(self, clips):
        self.shape = clips.shape[1:]
        return clips.mean(axis=(1, 2, 3, 4))[:, None]


def test_features_are_the_mean_over_crops(records):
    model = Brightness()
    centre = embed_videos(model, records, **CLIP).values[:, 0]
    np.testing.assert_allclose(centre, 0, atol=3)
    three = embed_videos(model, records, crops=3, **CLIP).values[:, 0]
    np.testing.assert_allclose(three, [100, 260 / 3], atol=3)
    assert model.shape == (2, 16, 16, 3)
    # Frames of 18 x 55 pixels: corners are bright or gray, the centre is dark.
    ten = embed_videos(model, records, crops=10, **CLIP).values[:, 0]
    np.testing.assert_allclose(ten, [120, 104], atol=3)
    with pytest.raises(ValueError, match="`crops` is 2"):
        embed_videos(model, records, crops=2, **CLIP)


def test_frames_are_read_whole_where_that_is_asked_for(records):
    times = UniformClips(2, 2, 1)(records[0])
    whole = read_sample(records[0], times, 16, square=False)["video"]
    assert whole.shape == (2, 2, 16, 48, 3)
    square = read_sample(records[0], times, 16)["video"]
    np.testing.assert_array_equal(whole[:, :, :, 16:32], square)


@pytest.fixture(scope="module")
def classifier():
    """Sure of the first class in bright clips, less so of the second in others."""
    video = keras.Input((2, 16, 16, 3))
    bright = ops.cast(ops.mean(video, axis=(1, 2, 3, 4)) > 120, "float32")[:, None]
    sure = ops.concatenate([8.0 * bright, 3.0 * (1.0 - bright)], axis=-1)
    return keras.Model(video, sure)


def test_the_mean_may_be_of_probabilities(records, classifier):
    options = {**CLIP, "crops": 3}
    logits = classify_videos(classifier, records, ["a", "b"], **options)
    # One sure crop of three: 8 / 3 against 6 / 3.
    assert logits.classes == ["a", "a"]
    found = classify_videos(
        classifier, records, ["a", "b"], average="probabilities", **options
    )
    sure, less = 1 / (1 + np.exp(-8)), 1 / (1 + np.exp(-3))
    assert found.classes == ["b", "b"]
    expected = (1 - sure + 2 * less) / 3
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    alike = [replace(record, labels={"class": "a"}) for record in records]
    shares = {
        average: classification_accuracy(
            classifier, alike, "class", ["a", "b"], average=average, **options
        )
        for average in ("logits", "probabilities")
    }
    assert shares == {"logits": 1.0, "probabilities": 0.0}
    with pytest.raises(ValueError, match="`average` is 'votes'"):
        classify_videos(classifier, records, ["a", "b"], average="votes", **options)
