from keras_avrep.backbones.convert_torchvision import (
    convert_torchvision,
    infer_backbone_arguments,
    load_torch_state_dict,
)
from keras_avrep.backbones.resnet3d import ResNet3DBackbone
from keras_avrep.backbones.video_backbone import VideoBackbone
from keras_avrep.backbones.video_resnet import VideoResNetBackbone

__all__ = [
    "ResNet3DBackbone",
    "VideoBackbone",
    "VideoResNetBackbone",
    "convert_torchvision",
    "infer_backbone_arguments",
    "load_torch_state_dict",
]
