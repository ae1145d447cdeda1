import numpy as np
import pytest
from keras import ops

from keras_avrep.views import ClipAugmentation, ClipViews, PairedClipViews
from keras_avrep.views.augment import normalise


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


class Pairs(PairedClipViews):
    def call(self, clips, is_first):
        x = ops.cast(clips, "float32") / 255
        return self.change_colours(x, is_first)


PLAIN = {"jitter": 0.0, "gray": 0.0, "seed": 0}


def paired(is_first, clips, **options):
    return ops.convert_to_numpy(
        Pairs(20, **{**PLAIN, **options})(clips, is_first=is_first)
    )


def test_each_of_a_pair_has_its_own_chances():
    clips = np.random.default_rng(0).integers(0, 256, (4, 2, 20, 20, 3), "uint8")
    plain = ops.convert_to_numpy(normalise(ops.cast(clips, "float32") / 255))
    for change in ("blur", "solarise"):
        options = {"blur": (0.0, 0.0), "solarise": (0.0, 0.0), change: (0.0, 1.0)}
        first, second = (paired(x, clips, **options) for x in (True, False))
        np.testing.assert_allclose(first, plain, atol=1e-5)
        assert (np.abs(second - plain).max(axis=(1, 2, 3, 4)) > 1e-3).all()
        # Asked for each clip, the two are mixed.
        firsts = np.array([True, False, False, True])
        mixed = paired(firsts.reshape(4, 1, 1, 1, 1), clips, **options)
        expected = np.where(firsts.reshape(4, 1, 1, 1, 1), first, second)
        if change == "solarise":
            np.testing.assert_allclose(mixed, expected, atol=1e-5)
        np.testing.assert_allclose(mixed[firsts], first[firsts], atol=1e-5)
        changed = np.abs(mixed - plain).max(axis=(1, 2, 3, 4)) > 1e-3
        np.testing.assert_array_equal(changed, ~firsts)


def test_pairs_keep_their_arguments():
    layer = Pairs(20, blur=(0.5, 0.25), crop_ratio=(0.4, 2.5), seed=1)
    assert layer.get_config()["blur"] == (0.5, 0.25)
    assert Pairs.from_config(layer.get_config()).get_config() == layer.get_config()


def test_arguments_come_back():
    layer = ClipAugmentation(size=20, crop_scale=(0.2, 0.9), flip=0.1, seed=3)
    assert layer.get_config().items() > {
        "size": 20, "crop_scale": (0.2, 0.9), "flip": 0.1, "gray": 0.2, "seed": 3
    }.items()  # fmt: skip
    other = ClipAugmentation.from_config(layer.get_config())
    assert other.get_config() == layer.get_config()


def test_the_ratio_of_crops_comes_back():
    layer = ClipAugmentation(size=20, crop_ratio=(1.0, 1.0))
    assert ClipAugmentation.from_config(layer.get_config()).crop_ratio == (1.0, 1.0)
