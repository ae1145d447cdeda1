from keras_avrep.backbones.video_resnet import VideoResNetBackbone

__all__ = ["VideoResNetBackbone"]
