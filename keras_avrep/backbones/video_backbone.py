from keras_avrep.backbones.staged_backbone import StagedBackbone


class VideoBackbone(StagedBackbone):
    """A functional model from normalised video to one feature map.

    Subclasses set `feature_dim`, the channels of the map, and `stages`, a dict
    from `"stem"`, `"stage1"`, … to symbolic tensors, the last being the output.
    """
