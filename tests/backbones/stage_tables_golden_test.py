"""Shapes of every stage as the notes list them; no network runs."""

import pytest

from keras_avrep.backbones import ResNet3DBackbone, VideoResNetBackbone
from keras_avrep.models import DCLR, ConSTCL, ControllableAugmentations, TeG


def shapes_of(backbone, clip):
    """Shape of each stage's map without the batch, for a clip of that shape."""
    shapes = backbone.with_stages(list(backbone.stages)).compute_output_shape(
        (None, *clip)
    )
    return {name: tuple(shape[1:]) for name, shape in shapes.items()}


def test_the_backbone_of_dclr():
    # Its note, section 3.1.
    preset = DCLR.presets["dclr_r2plus1d_ucf101"]
    backbone = VideoResNetBackbone(**preset["backbone"])
    assert shapes_of(backbone, (16, 112, 112, 3)) == {
        "stem": (16, 56, 56, 64),
        "stage1": (16, 56, 56, 64),
        "stage2": (8, 28, 28, 128),
        "stage3": (4, 14, 14, 256),
        "stage4": (2, 7, 7, 512),
    }
    # Middle widths, floor(27 Ci Co / (9 Ci + 3 Co)), for both convolutions alike.
    kernels = {
        "stem_spatial": (1, 7, 7, 3, 45),
        "stem_temporal": (3, 1, 1, 45, 64),
        "stage1_block1_conv1_spatial": (1, 3, 3, 64, 144),
        "stage2_block1_conv1_spatial": (1, 3, 3, 64, 230),
        "stage2_block1_conv2_spatial": (1, 3, 3, 128, 230),
        "stage3_block1_conv1_temporal": (3, 1, 1, 460, 256),
        "stage4_block1_conv2_temporal": (3, 1, 1, 921, 512),
        "stage4_block1_shortcut": (1, 1, 1, 256, 512),
    }
    found = {name: tuple(backbone.get_layer(name).kernel.shape) for name in kernels}
    assert found == kernels


def test_the_backbone_of_controllable_augmentations():
    # Its note, section 3.1.
    presets = ControllableAugmentations.presets
    preset = presets["controllable_augmentations_r3d_18"]
    backbone = VideoResNetBackbone(**preset["backbone"])
    shapes = shapes_of(backbone, (16, 112, 112, 3))
    assert shapes["stem"] == shapes["stage1"] == (16, 28, 28, 64)
    assert shapes["stage2"] == (8, 14, 14, 128)
    assert shapes["stage3"] == (4, 7, 7, 256)
    assert shapes["stage4"] == (2, 4, 4, 512)


@pytest.fixture(scope="module")
def trunk():
    arguments = ConSTCL.presets["const_cl_resnet3d_50"]["backbone"]
    assert arguments == TeG.presets["teg_both"]["backbone"]
    return ResNet3DBackbone(**arguments)


@pytest.mark.parametrize(("frames", "steps"), [(16, 8), (32, 16)])
def test_the_trunk_of_const_cl_and_teg(trunk, frames, steps):
    # Notes of ConST-CL and of TeG, section 3; long clips of TeG have 32 frames.
    assert shapes_of(trunk, (frames, 224, 224, 3)) == {
        "stem": (steps, 56, 56, 64),
        "stage1": (steps, 56, 56, 256),
        "stage2": (steps, 28, 28, 512),
        "stage3": (steps, 14, 14, 1024),
        "stage4": (steps, 7, 7, 2048),
    }
    convolved = trunk.get_layer("stem_conv").compute_output_shape(
        (None, frames, 224, 224, 3)
    )
    assert tuple(convolved[1:]) == (steps, 112, 112, 64)


def test_the_arm_of_the_regions_has_the_shape_of_the_last_stage(trunk):
    branch = trunk.stage_copy("stage4", "stage4_local")
    shape = branch.compute_output_shape((None, 8, 14, 14, 1024))
    assert tuple(shape[1:]) == (8, 7, 7, 2048)


def test_kernels_in_time_are_those_of_the_table(trunk):
    lengths = [
        {
            trunk.get_layer(f"stage{stage + 1}_block{block + 1}_conv1").kernel.shape[0]
            for block in range(blocks)
        }
        for stage, blocks in enumerate([3, 4, 6, 3])
    ]
    assert lengths == [{1}, {1}, {3}, {3}]
    assert trunk.get_layer("stem_conv").kernel.shape[:3] == (5, 7, 7)
