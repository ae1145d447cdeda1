from keras_avrep.layers.activation_map import ActivationDecoupler, ActivationMap
from keras_avrep.layers.concept_bank import ConceptBank
from keras_avrep.layers.concept_cross_attention import ConceptCrossAttention
from keras_avrep.layers.feature_queue import FeatureQueue
from keras_avrep.layers.folded_batch_norm import FoldedBatchNormalization
from keras_avrep.layers.folded_conv3d import FoldedConv3D
from keras_avrep.layers.neighbour_miner import NeighbourMiner
from keras_avrep.layers.projection_head import ProjectionHead, ProjectionHeads
from keras_avrep.layers.projection_mlp import ProjectionMLP
from keras_avrep.layers.static_dynamic_decoupler import StaticDynamicDecoupler

__all__ = [
    "ActivationDecoupler",
    "ActivationMap",
    "ConceptBank",
    "ConceptCrossAttention",
    "FeatureQueue",
    "FoldedBatchNormalization",
    "FoldedConv3D",
    "NeighbourMiner",
    "ProjectionHead",
    "ProjectionHeads",
    "ProjectionMLP",
    "StaticDynamicDecoupler",
]
