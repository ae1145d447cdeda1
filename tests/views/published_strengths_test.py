"""What the views draw by default, measured, is what section 2 of the notes lists."""

import numpy as np
import pytest
from keras import ops

from keras_avrep.models import (
    ConceptViews,
    ConSTCLViews,
    ControllableAugmentationsViews,
    DCLRViews,
    TeGViews,
)
from keras_avrep.views import augment

COUNT = 400
# Of brightness, contrast, saturation and hue.
STRENGTHS = {
    DCLRViews: (0.4, 0.4, 0.4, 0.1),
    ConceptViews: (0.5, 0.5, 0.5, 0.25),
    ConSTCLViews: (0.8, 0.8, 0.8, 0.2),
    TeGViews: (0.8, 0.8, 0.8, 0.2),
    ControllableAugmentationsViews: (0.4, 0.4, 0.4, 0.1),
}
# Share of the crop's area, of clips with jitter, of gray and of mirrored ones.
TABLE = {
    DCLRViews: ((0.2, 1.0), 0.8, 0.2, 0.5),
    ConceptViews: ((0.5, 1.0), 1.0, 0.5, 0.5),
    ConSTCLViews: ((0.3, 1.0), 0.8, 0.2, 0.5),
    TeGViews: ((0.3, 1.0), 0.8, 0.2, 0.5),
}
# Dark and pale, so that no change is cut off at black or white.
COLOUR = np.array([0.02, -0.01, -0.00092])  # without luma
PICTURE = np.array([[0.23] * 3, [0.27] * 3, 0.25 + COLOUR, 0.25 - COLOUR])


def batch_of(count=COUNT):
    """What the views take, all of one picture of four stripes."""
    clip = np.tile(255 * PICTURE[:, None], (count, 2, 1, 1, 4, 1)).astype("float32")
    number = np.ones(count, "float32")
    return {
        "video": clip,
        "static": clip[:, :, 0],
        "short": clip[:, 0],
        "long": clip[:, 1],
        "short_start": number,
        "long_start": number,
        "short_stride": number,
        "long_stride": number,
        "looped": 0 * number,
        "local": clip,
        "global": clip[:, 0],
        "local_start": np.ones((count, 2), "float32"),
        "local_stride": number,
        "global_start": number,
        "global_stride": number,
        "ordered": number,
    }


def stripes_of(layer):
    """Colours `(views, 4, 3)` of the stripes, from 0 to 1, after augmentation."""
    views = layer(batch_of())
    name = next(n for n in ("rgb", "video", "clips", "short") if n in views)
    clips = ops.convert_to_numpy(views[name]).astype("float64")
    clips = clips * augment.IMAGENET_STD + augment.IMAGENET_MEAN
    return clips.reshape(-1, *clips.shape[-3:])[:, :, 0]


def still(views, **changes):
    """The views without anything that moves or blurs pixels."""
    options = {"size": 4, "flip": 0.0, "gray": 0.0, "jitter": 1.0, "seed": 0}
    if views is ControllableAugmentationsViews:
        options |= {"local_crop_scale": (1, 1), "global_crop_scale": (1, 1)}
    else:
        options["crop_scale"] = (1.0, 1.0)
    layer = views(**{**options, **changes})
    for part in (layer, *layer._flatten_layers()):
        if hasattr(part, "crop_ratio"):
            part.crop_ratio = (1.0, 1.0)
    if views in (ConSTCLViews, TeGViews):
        layer.blur = layer.solarise = (0.0, 0.0)
    elif hasattr(layer, "blur"):
        layer.blur = 0.0
    return layer


def chroma(colours):
    """Part of a colour across the gray axis, a complex number."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    return (2 * red - green - blue) + 1j * np.sqrt(3) * (green - blue)


def measured(stripes):
    """Changes of brightness, contrast, saturation and hue, `(views, 4)`."""
    dark, light, colour = (stripes[:, i] for i in range(3))
    brightness = (dark + light).mean(-1) / 2 / 0.25
    contrast = (light - dark).mean(-1) / 0.04 / brightness
    turned = chroma(colour) / chroma(COLOUR)
    saturation = np.abs(turned) / brightness / contrast
    hue = np.angle(turned) / (2 * np.pi)
    return np.stack([brightness - 1, contrast - 1, saturation - 1, hue], axis=-1)


@pytest.mark.parametrize("views", STRENGTHS, ids=lambda views: views.__name__)
def test_jitter_is_as_strong_as_published(views):
    strengths = np.array(STRENGTHS[views])
    changes = measured(stripes_of(still(views)))
    assert (np.abs(changes) <= strengths + 2e-3).all()
    assert (changes.max(axis=0) > 0.95 * strengths).all()
    assert (changes.min(axis=0) < -0.95 * strengths).all()


@pytest.mark.parametrize("views", TABLE, ids=lambda views: views.__name__)
def test_chances_are_as_published(views):
    scale, jitter, gray, flip = TABLE[views]
    layer = views()
    assert layer.crop_scale == scale
    assert (layer.jitter, layer.gray, layer.flip) == (jitter, gray, flip)
    stripes = stripes_of(still(views, jitter=jitter, gray=0.0))
    changed = np.abs(stripes - PICTURE).max(axis=(1, 2)) > 1e-4
    assert changed.mean() == pytest.approx(jitter, abs=0.07)
    stripes = stripes_of(still(views, jitter=0.0, gray=gray))
    assert (np.ptp(stripes, axis=-1) < 1e-5).all(1).mean() == pytest.approx(
        gray, abs=0.07
    )


def test_crops_of_controllable_augmentations_are_as_in_the_note():
    layer = ControllableAugmentationsViews()
    assert layer.local_augment.crop_scale == (0.2, 0.6)
    assert layer.global_augment.crop_scale == (0.5, 1.0)
    for part in (layer.local_augment, layer.global_augment):
        assert part.crop_ratio == pytest.approx((3 / 4, 4 / 3))
        assert (part.flip, part.jitter, part.gray) == (0.5, 0.8, 0.2)


def test_sizes_ratios_and_blur_are_as_published():
    assert [v().size for v in (DCLRViews, ConceptViews)] == [112, 128]
    assert (DCLRViews().blur, DCLRViews().blur_kernel) == (0.5, 11)
    for views in (DCLRViews, ConceptViews):
        assert views().crop_ratio == pytest.approx((3 / 4, 4 / 3))
    for views in (ConSTCLViews, TeGViews):
        layer = views()
        assert (layer.size, layer.blur_kernel) == (224, 23)
        assert layer.crop_ratio == (0.5, 2.0)
        assert (layer.blur, layer.solarise) == ((1.0, 0.1), (0.0, 0.2))
    assert ConSTCLViews().num_boxes == 8
