from keras_avrep.backbones.staged_backbone import StagedBackbone


class VideoBackbone(StagedBackbone):
    """A functional model from normalised video to one feature map.

    Subclasses set `feature_dim`, the channels of the map, and `stages`, a dict
    from `"stem"`, `"stage1"`, … to symbolic tensors, the last being the output.
    `map_centre` says where in its cell a value of the map was seen, down and across:
    0.5 in the middle, 0 at the upper left corner.
    """

    map_centre = 0.5
