from keras_avrep.backbones.convert_torchvision import (
    convert_torchvision,
    infer_backbone_arguments,
    load_torch_state_dict,
)
from keras_avrep.backbones.video_resnet import VideoResNetBackbone

__all__ = [
    "VideoResNetBackbone",
    "convert_torchvision",
    "infer_backbone_arguments",
    "load_torch_state_dict",
]
