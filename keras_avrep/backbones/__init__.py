from keras_avrep.backbones.audio_resnet import AudioResNetBackbone
from keras_avrep.backbones.convert_torchvision import (
    convert_torchvision,
    infer_backbone_arguments,
)
from keras_avrep.backbones.image_resnet import ImageResNetBackbone
from keras_avrep.backbones.resnet3d import ResNet3DBackbone
from keras_avrep.backbones.staged_backbone import StagedBackbone
from keras_avrep.backbones.torch_weights import load_torch_state_dict
from keras_avrep.backbones.torchvision_images import infer_image_backbone_arguments
from keras_avrep.backbones.video_backbone import VideoBackbone
from keras_avrep.backbones.video_resnet import VideoResNetBackbone

__all__ = [
    "AudioResNetBackbone",
    "ImageResNetBackbone",
    "ResNet3DBackbone",
    "StagedBackbone",
    "VideoBackbone",
    "VideoResNetBackbone",
    "convert_torchvision",
    "infer_backbone_arguments",
    "infer_image_backbone_arguments",
    "load_torch_state_dict",
]
