from keras_avrep.layers.activation_map import ActivationDecoupler, ActivationMap
from keras_avrep.layers.feature_queue import FeatureQueue
from keras_avrep.layers.folded_conv3d import FoldedConv3D
from keras_avrep.layers.log_mel import LogMel
from keras_avrep.layers.neighbour_miner import NeighbourMiner
from keras_avrep.layers.projection_head import ProjectionHead, ProjectionHeads
from keras_avrep.layers.static_dynamic_decoupler import StaticDynamicDecoupler

__all__ = [
    "ActivationDecoupler",
    "ActivationMap",
    "FeatureQueue",
    "FoldedConv3D",
    "LogMel",
    "NeighbourMiner",
    "ProjectionHead",
    "ProjectionHeads",
    "StaticDynamicDecoupler",
]
