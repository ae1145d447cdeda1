import numpy as np
import pytest
from keras import ops

from keras_avrep.views import ClipAugmentation, ClipViews


class Crops(ClipViews):
    def call(self, clips):
        return self.crop(clips, self.draw_placement(len(clips)))


def test_all_frames_of_a_clip_have_one_crop_from_0_to_1():
    frame = np.random.default_rng(0).integers(0, 256, (3, 1, 20, 30, 3), "uint8")
    clips = np.repeat(frame, 4, axis=1)
    views = ops.convert_to_numpy(Crops(16, (0.3, 1.0), seed=0)(clips))
    assert views.shape == (3, 4, 16, 16, 3)
    first = views[:, :1].repeat(3, axis=1)
    np.testing.assert_allclose(views[:, 1:], first, atol=1e-6)
    assert views.min() >= 0
    assert 0.5 < views.max() <= 1
    again = ops.convert_to_numpy(Crops(16, (0.3, 1.0), seed=0)(clips))
    np.testing.assert_array_equal(views, again)
    # Clips of one picture are cropped each its own way.
    same = ops.convert_to_numpy(Crops(16, (0.3, 1.0), seed=0)(clips[[0, 0, 0]]))
    assert not np.allclose(same[0], same[1])


@pytest.mark.parametrize("size, kernel", [(112, 11), (128, 13), (48, 5), (16, 1)])
def test_a_blur_covers_a_tenth_of_the_view(size, kernel):
    assert Crops(size, (1.0, 1.0)).blur_kernel == kernel


def test_arguments_come_back():
    layer = ClipAugmentation(size=20, crop_scale=(0.2, 0.9), flip=0.1, seed=3)
    assert layer.get_config().items() > {
        "size": 20, "crop_scale": (0.2, 0.9), "flip": 0.1, "gray": 0.2, "seed": 3
    }.items()  # fmt: skip
    other = ClipAugmentation.from_config(layer.get_config())
    assert other.get_config() == layer.get_config()
